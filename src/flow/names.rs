//! Whose names stand in a flow: the numbers of its events and branches, and its unknowns.
//!
//! A name belongs to the function whose evaluation made it. A caller keeps the names of a function that it calls, with
//! all that is made of them, unless it holds names of the same owner already: then the second call's are made anew.
//! Two functions may so hold the same names, but no function holds one name for two things.

/// How many owners are told apart. Two that are not only cost that names are made anew without need.
const OWNERS: usize = 2_048;
const WORDS: usize = OWNERS / 64;

/// A function that is evaluated, by its turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner(u16);

/// A set of owners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners([u64; WORDS]);

/// A set of owners in short: what is not in it is in none of the sets it stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks(u64);

/// Who made which names.
#[derive(Debug, Default)]
pub struct Names {
    owner: Owner,
    turns: usize,
    events: Vec<Owner>,
    branches: Vec<Owner>,
    unknowns: Vec<Owner>,
}

impl Owners {
    /// Those of nobody.
    pub const NONE: Self = Self([0; WORDS]);
    /// Every name is held already.
    pub const ALL: Self = Self([u64::MAX; WORDS]);

    pub fn of(owner: Owner) -> Self {
        let mut all = Self::NONE;
        all.0[usize::from(owner.0) / 64] |= 1 << (owner.0 % 64);
        all
    }

    pub fn has(&self, owner: Owner) -> bool {
        self.0[usize::from(owner.0) / 64] & (1 << (owner.0 % 64)) != 0
    }

    pub fn add(&mut self, others: &Self) {
        for (word, other) in self.0.iter_mut().zip(&others.0) {
            *word |= other;
        }
    }

    /// The owners that are in both.
    pub fn common(&self, others: &Self) -> Self {
        let mut both = self.clone();
        for (word, other) in both.0.iter_mut().zip(&others.0) {
            *word &= other;
        }
        both
    }

    pub fn marks(&self) -> Marks {
        Marks(self.0.iter().fold(0, |all, word| all | word))
    }
}

impl Marks {
    pub fn of(owner: Owner) -> Self {
        Self(1 << (owner.0 % 64))
    }

    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl Names {
    /// Gives names to another function from here on: the one that was served before, to go back to, and the new one.
    pub fn next_owner(&mut self) -> (Owner, Owner) {
        let owner = Owner((self.turns % OWNERS) as u16);
        self.turns += 1;
        (std::mem::replace(&mut self.owner, owner), owner)
    }

    pub fn back_to(&mut self, owner: Owner) {
        self.owner = owner;
    }

    pub fn event(&mut self) -> u32 {
        next(&mut self.events, self.owner)
    }

    pub fn branch(&mut self) -> u32 {
        next(&mut self.branches, self.owner)
    }

    pub fn unknown(&mut self) -> u32 {
        next(&mut self.unknowns, self.owner)
    }

    pub fn of_event(&self, event: u32) -> Owner {
        self.events[event as usize]
    }

    pub fn of_branch(&self, branch: u32) -> Owner {
        self.branches[branch as usize]
    }

    pub fn of_unknown(&self, unknown: u32) -> Owner {
        self.unknowns[unknown as usize]
    }
}

fn next(all: &mut Vec<Owner>, owner: Owner) -> u32 {
    all.push(owner);
    all.len() as u32 - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_its_makers() {
        let mut names = Names::default();
        let (before, outer) = names.next_owner();
        let first = names.event();
        let (back, inner) = names.next_owner();
        let second = names.event();
        names.back_to(back);
        let third = names.event();
        assert_eq!([first, second, third], [0, 1, 2]);
        assert_eq!((names.of_event(first), names.of_event(second), names.of_event(third)), (outer, inner, outer));
        names.back_to(before);
    }

    #[test]
    fn sets_of_owners_are_sets() {
        let owners = |all: &[u16]| {
            let mut set = Owners::NONE;
            for one in all {
                set.add(&Owners::of(Owner(*one)));
            }
            set
        };
        let (a, b) = (owners(&[0, 63, 64, 2_047]), owners(&[1, 64, 2_047]));
        assert_eq!(a.common(&b), owners(&[64, 2_047]));
        assert!(a.has(Owner(63)) && !a.has(Owner(62)));
        assert!(a.marks().meets(Marks::of(Owner(128))) && !owners(&[5]).marks().meets(b.marks()));
        assert_eq!(Owners::ALL.common(&a), a);
    }
}
