//! There is a lock, and it does not hold.

use crate::protect::WhyNot;

pub const ID: &str = "lock-lost";

/// Whether a lock stands there in vain.
pub fn claims(tried: &[WhyNot]) -> bool {
    tried.iter().any(|why| why.lost_lock().is_some() || why.lost_guard().is_some())
}
