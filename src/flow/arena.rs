//! A list that grows without moving what it holds: doubling a list of millions copies it and takes twice its room.

/// Everything pushed so far, by its place.
pub struct Arena<T> {
    chunks: Vec<Vec<T>>,
}

/// How many elements are asked room for at once.
const CHUNK: usize = 1 << 13;

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// Gives the place of what was pushed.
    pub fn push(&mut self, value: T) -> u32 {
        let place = self.len();
        if place.is_multiple_of(CHUNK) {
            // A small program has few.
            self.chunks.push(if place == 0 { Vec::new() } else { Vec::with_capacity(CHUNK) });
        }
        if let Some(last) = self.chunks.last_mut() {
            last.push(value);
        }
        place as u32
    }

    pub fn get(&self, place: u32) -> &T {
        let place = place as usize;
        &self.chunks[place / CHUNK][place % CHUNK]
    }

    pub fn get_mut(&mut self, place: u32) -> &mut T {
        let place = place as usize;
        &mut self.chunks[place / CHUNK][place % CHUNK]
    }

    pub fn len(&self) -> usize {
        self.chunks.len().saturating_sub(1) * CHUNK + self.chunks.last().map_or(0, Vec::len)
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_found_by_its_place() {
        let mut arena = Arena::default();
        assert!(arena.is_empty());
        for value in 0..3 * CHUNK + 2 {
            assert_eq!(arena.push(value) as usize, value);
            assert_eq!(arena.len(), value + 1);
        }
        for place in [0, 1, CHUNK - 1, CHUNK, 2 * CHUNK, 3 * CHUNK + 1] {
            assert_eq!(*arena.get(place as u32), place);
        }
    }
}
