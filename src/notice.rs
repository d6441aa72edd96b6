//! What racelint has to say besides findings: what was skipped, cut off or not understood.

use serde::{Deserialize, Serialize};

use crate::span::Span;

/// Something that was not read or not understood. Never silent: notices are printed, counted in the summary, and stand
/// in SARIF under `invocations[].toolExecutionNotifications`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Notice {
    /// The path as it is shown to the user, relative to the root where it lies below it.
    pub path: String,
    /// The place inside the file, where there is one.
    pub span: Option<Span>,
    pub kind: NoticeKind,
    /// One sentence, lower case, no full stop.
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoticeKind {
    /// The file could not be opened or read.
    Unreadable,
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The file is larger, deeper or longer than a stated limit.
    Limit,
    /// The text is not Rust, TOML or SQL that the parser accepts.
    Syntax,
    /// A symbolic link that leads back to a directory which holds it; nothing is lost by not following it.
    Link,
    /// A path leads out of the root and was not followed.
    OutsideRoot,
    /// An `allow` comment that hides nothing, or that gives no reason.
    Suppression,
    /// A configuration value that has no effect.
    Config,
    /// A database client is a dependency, and no statement was found.
    Unseen,
    /// A bug in racelint itself, caught at the file boundary.
    Internal,
}

impl NoticeKind {
    /// Whether a file, or a part of one, was left out of the analysis.
    pub fn is_skip(self) -> bool {
        matches!(
            self,
            Self::Unreadable | Self::NotUtf8 | Self::Limit | Self::Syntax | Self::OutsideRoot | Self::Internal
        )
    }
}
