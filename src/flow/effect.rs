//! What leaves the process: payments, mail, HTTP, messages, files. Once done it is not undone by a rollback.

use std::sync::Arc;

use crate::event::{Effect, EffectKind, EventKind};
use crate::flow::Evaluator;
use crate::flow::term::{Term, TermId};
use crate::flow::value::Value;
use crate::link::{FnId, TraitRef, Type};
use crate::lower::tree::{Function, MethodCall, Name, Ty};
use crate::span::Range;

/// Crates whose calls leave the process, with the calls that do it; an empty list means any.
const CRATES: &[(&str, EffectKind, &[&str])] = &[
    ("reqwest", EffectKind::Http, &["send", "execute"]),
    ("reqwest_middleware", EffectKind::Http, &["send", "execute"]),
    ("ureq", EffectKind::Http, &["call", "send", "send_json", "send_string", "send_form"]),
    ("surf", EffectKind::Http, &["send", "recv_json", "recv_string"]),
    ("hyper", EffectKind::Http, &["request", "send_request"]),
    ("hyper_util", EffectKind::Http, &["request"]),
    ("awc", EffectKind::Http, &["send", "send_json", "send_form", "send_body"]),
    ("lettre", EffectKind::Mail, &["send", "send_raw"]),
    ("sendgrid", EffectKind::Mail, &["send"]),
    ("stripe", EffectKind::Payment, &["create", "capture", "confirm", "send", "update", "cancel"]),
    ("lapin", EffectKind::Message, &["basic_publish"]),
    ("rdkafka", EffectKind::Message, &["send", "send_result"]),
    ("async_nats", EffectKind::Message, &["publish", "request"]),
    (
        "object_store",
        EffectKind::File,
        &["put", "put_opts", "put_multipart", "put_multipart_opts", "delete", "rename", "copy"],
    ),
];

/// Verbs that name an act towards the outside, as the first word of a function's name. The function itself must touch no
/// rows; since only its name speaks, the finding is less certain.
const VERBS: &[(&str, EffectKind)] = &[
    ("charge", EffectKind::Payment),
    ("refund", EffectKind::Payment),
    ("pay", EffectKind::Payment),
    ("payout", EffectKind::Payment),
    ("capture", EffectKind::Payment),
    ("mail", EffectKind::Mail),
    ("email", EffectKind::Mail),
    ("sms", EffectKind::Message),
    ("webhook", EffectKind::Http),
    ("publish", EffectKind::Message),
    ("ship", EffectKind::Other),
    ("deliver", EffectKind::Other),
    ("notify", EffectKind::Message),
    ("send", EffectKind::Message),
];

/// What hands a message to a task or an actor of the same process.
const TELLS: [&str; 8] = ["send", "try_send", "do_send", "blocking_send", "send_async", "send_message", "tell", "cast"];

/// Verbs that only ask, as the first word of a function's name.
const ASKING: [&str; 17] = [
    "get", "fetch", "query", "list", "find", "lookup", "search", "describe", "head", "read", "is", "has", "check",
    "verify", "validate", "health", "ping",
];

/// Verbs that take something away, as the first word of a function's name: done twice, it is gone as after once.
const TAKING_AWAY: [&str; 8] = ["cancel", "delete", "remove", "revoke", "invalidate", "purge", "disable", "clear"];

/// Verbs that leave something in a state, whatever it was in before.
const SETTING: [&str; 3] = ["set", "ensure", "enable"];

impl<'p> Evaluator<'p> {
    /// A function of the workspace that touches no rows, but whose name says that it acts on the outside.
    pub(super) fn named_effect(&mut self, id: FnId, at: Range) {
        let path = self.program.path_of(id);
        let function = self.program.function(id);
        let configured = self.config.is_effect(&path);
        let kind = verb(&function.name);
        let told_inside = self.tells_inside.contains(&id) && kind == Some(EffectKind::Message);
        if !configured
            && (kind.is_none()
                || only_gives(function)
                || gives_a_part(function)
                || asks(function)
                || told_inside
                || self.works_out(id))
        {
            return;
        }
        let shown = match path.rsplit("::").nth(1) {
            Some(owner) if function.receiver.is_some() => format!("{owner}::{}", function.name),
            _ => function.name.to_string(),
        };
        let kind = kind.unwrap_or(EffectKind::Other);
        let effect = Effect { name: shown, kind, certain: configured, named: Arc::from([]) };
        self.emit(EventKind::Effect(effect), None, at);
    }

    /// Whether async code calls a function that waits for nothing, and is given a value of the program's own for it: what
    /// acts on the outside would be waited for there.
    fn works_out(&self, id: FnId) -> bool {
        let function = self.program.function(id);
        let waits = function.is_async || !self.program.function(self.frame.function).is_async;
        !waits && function.body.is_some() && is_own(&self.program.returns(id, None, &[]))
    }

    /// A call into another crate by its path.
    pub(super) fn external_effect(&mut self, path: &[Name], args: &[Value], at: Range) {
        let (Some(first), Some(last)) = (path.first(), path.last()) else { return };
        let joined: Vec<&str> = path.iter().map(Name::as_str).collect();
        let joined = joined.join("::");
        let file = path.len() > 2
            && matches!(first.as_str(), "std" | "tokio" | "async_std")
            && path[1] == "fs"
            && matches!(last.as_str(), "write" | "rename" | "copy");
        let known = if file { Some(EffectKind::File) } else { by_crate(first, last) };
        let configured = self.config.is_effect(&joined);
        let Some(kind) = known.or(configured.then_some(EffectKind::Other)) else { return };
        // What is written to it does not name it.
        let place = if file { args.get(usize::from(last != "write")) } else { None };
        let named: Arc<[TermId]> = place.iter().map(|arg| arg.term).collect();
        self.emit(EventKind::Effect(Effect { name: joined, kind, certain: true, named }), None, at);
    }

    /// A method of a value whose type belongs to such a crate, or a trait method that nothing here implements.
    pub(super) fn unknown_method_effect(&mut self, recv: &Value, call: &MethodCall, args: &[Value], at: Range) {
        let name = call.name.as_str();
        let ty = self.program.peel(&recv.ty);
        if is_channel(&ty) && TELLS.contains(&name) {
            self.tells_inside.insert(self.frame.function);
            return;
        }
        let found = match &ty {
            Type::External(path, _) => path.first().and_then(|krate| by_crate(krate, name)).map(|kind| (kind, true)),
            Type::Trait(bounds) => {
                // `dyn ObjectStore`: what implements it is of that crate as well, or stands for one that is.
                let known = bounds.iter().find_map(|bound| kind_by_trait(&bound.of, name)).map(|kind| (kind, true));
                let local = bounds.iter().any(|bound| matches!(bound.of, TraitRef::Local(_)));
                known.or_else(|| verb(name).filter(|_| local).map(|kind| (kind, false)))
            }
            _ => None,
        };
        let Some((kind, certain)) = found else { return };
        let krate = match &ty {
            Type::External(path, _) => path.first().map_or("", Name::as_str),
            _ => "",
        };
        let sent = self.request_of(recv, name, args);
        if self.only_reads(sent, krate) {
            return;
        }
        let stored = if krate == "aws_sdk_s3" { self.stored_under(sent) } else { None };
        let effect = match stored {
            Some(named) => Effect { name: name.to_owned(), kind: EffectKind::File, certain, named },
            None => Effect { name: name.to_owned(), kind, certain, named: Arc::from([sent]) },
        };
        self.emit(EventKind::Effect(effect), None, at);
    }
}

impl Evaluator<'_> {
    /// The request that a call sends: the one that it was built as, with what the call itself puts to it, or the one that a
    /// client is given.
    fn request_of(&mut self, recv: &Value, name: &str, args: &[Value]) -> TermId {
        match (name, args) {
            (_, []) => recv.term,
            ("execute" | "request" | "send_request", [request]) => request.term,
            _ => {
                let parts = std::iter::once(recv).chain(args).map(|part| part.term);
                self.terms.computed(name, parts.collect())
            }
        }
    }

    /// By what an object is named that a request of S3 puts there, or takes away; none for another request.
    fn stored_under(&self, request: TermId) -> Option<Arc<[TermId]>> {
        let (mut stores, mut named) = (false, Vec::new());
        self.terms.walk(request, &mut |term| match self.terms.get(term) {
            Term::Computed(by, parts) if by == "key" => named.extend(parts.iter().skip(1).copied()),
            Term::Computed(by, _) => {
                let by = by.as_str();
                stores |= matches!(by, "put_object" | "copy_object" | "delete_object" | "upload_part")
                    || by.ends_with("_multipart_upload");
            }
            _ => {}
        });
        stores.then(|| named.into())
    }

    /// An HTTP request that was started with `get` or `head` asks, and changes nothing. So does an operation of a cloud
    /// service whose name says so, and one that computes with a key that stays there.
    fn only_reads(&self, request: TermId, krate: &str) -> bool {
        let (mut asks, mut acts) = (false, false);
        let cloud = krate.starts_with("aws_sdk_");
        self.terms.walk(request, &mut |term| {
            if let Term::Computed(by, _) = self.terms.get(term) {
                asks |= matches!(by.as_str(), "get" | "head") || cloud && (asks_by_name(by) || computes_with_key(by));
                acts |= matches!(by.as_str(), "post" | "put" | "patch" | "delete" | "request");
            }
        });
        asks && !acts
    }
}

/// Whether a value is of a type of the program, or may be one where it says whether it could be made.
fn is_own(ty: &Type) -> bool {
    match ty {
        Type::Def(..) => true,
        Type::External(path, args) => {
            matches!(path.last().map(Name::as_str), Some("Result" | "Option")) && args.first().is_some_and(is_own)
        }
        _ => false,
    }
}

/// Whether a function's name says that it asks for something: `get_balance`, `query_contract`. One that may also make
/// what it asks for, `get_or_create`, does more.
pub fn asks_by_name(name: &str) -> bool {
    begins_with(name, &ASKING) && name != "check_out"
}

/// Whether a function's name says that it takes something away: `cancel_invoice`.
pub fn takes_away_by_name(name: &str) -> bool {
    begins_with(name, &TAKING_AWAY)
}

/// Whether a function's name says that it leaves something in a state: `set_limit`.
pub fn sets_by_name(name: &str) -> bool {
    begins_with(name, &SETTING)
}

/// Whether the first word of a function's name is one of these, and it does nothing more.
fn begins_with(name: &str, verbs: &[&str]) -> bool {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    words.next().is_some_and(|first| verbs.contains(&first)) && !words.any(|word| matches!(word, "or" | "and"))
}

/// Whether an operation's name says that it computes with a key.
pub fn computes_with_key(operation: &str) -> bool {
    let name = operation.rsplit("::").next().unwrap_or(operation);
    matches!(name.split('_').next(), Some("sign" | "verify" | "encrypt" | "decrypt"))
}

/// What a method of a trait of another crate does.
fn kind_by_trait(of: &TraitRef, call: &str) -> Option<EffectKind> {
    match of {
        TraitRef::External(path) => by_crate(path.first()?, call),
        TraitRef::Local(_) => None,
    }
}

fn by_crate(krate: &str, call: &str) -> Option<EffectKind> {
    if krate.starts_with("aws_sdk_") && call == "send" {
        return Some(EffectKind::Http);
    }
    CRATES.iter().find(|(name, _, calls)| *name == krate && calls.contains(&call)).map(|(_, kind, _)| *kind)
}

/// Whether what is sent there stays in the process.
fn is_channel(ty: &Type) -> bool {
    let Type::External(path, _) = ty else { return false };
    let steps: Vec<&str> = path.iter().map(Name::as_str).collect();
    // A crate may hand out tokio's under a name of its own.
    let renamed = matches!(
        steps.as_slice(),
        [.., "mpsc" | "broadcast" | "oneshot" | "watch", "Sender" | "SyncSender" | "UnboundedSender"]
    );
    renamed
        || matches!(
            steps.as_slice(),
            ["std" | "tokio", "sync", ..]
                | ["actix", .., "Addr" | "Recipient"]
                | ["riker" | "ractor" | "kameo" | "xtra" | "coerce", ..]
                | ["futures", "channel", ..]
                | [
                    "futures_channel" | "crossbeam_channel" | "flume" | "async_channel" | "async_broadcast" | "kanal",
                    ..
                ]
        )
}

fn verb(name: &str) -> Option<EffectKind> {
    // A bare `send` or `notify` is as a rule a channel of this process.
    if matches!(name, "send" | "notify" | "capture") {
        return None;
    }
    VERBS.iter().find(|(verb, _)| name.split('_').next() == Some(*verb)).map(|(_, kind)| *kind)
}

/// Whether a function is known to wait for nothing, and its name begins with a noun that says of what the value is that it
/// gives: `email_hash`, `payout_request`. What acts gives nothing, or says whether it could; what makes one thing from another
/// by its name, `email_from_row`, may say whether it could as well.
fn gives_a_part(function: &Function) -> bool {
    let mut words = function.name.split('_');
    let noun = matches!(words.next(), Some("mail" | "email" | "sms" | "webhook" | "payout"));
    let made = match &function.ret {
        Ty::Path(path) => path.segments.last().is_some_and(|last| {
            !last.name.ends_with("Result")
                && !matches!(last.name.as_str(), "Pin" | "Box" | "BoxFuture" | "JoinHandle" | "Future")
        }),
        Ty::Slice(_) => true,
        _ => false,
    };
    let from_another = || function.name.contains("_from_");
    noun && words.next().is_some() && (made || from_another()) && !function.is_async && function.body.is_some()
}

/// Whether a function waits for nothing and gives a text, or a reference to what is there: `email_subject` makes a part
/// of a mail and `email` is one of a person's fields; neither sends any.
fn only_gives(function: &Function) -> bool {
    let (lent, ret) = match &function.ret {
        Ty::Ref(inner) => (true, &**inner),
        ret => (false, ret),
    };
    let Ty::Path(path) = ret else { return false };
    let kept = |name: &str| matches!(name, "String" | "str" | "Cow");
    let text = path.segments.last().is_some_and(|last| {
        let inside = last.args.iter().any(|arg| matches!(arg, Ty::Ref(_)));
        kept(last.name.as_str()) || last.name == "Option" && inside
    });
    !function.is_async && (lent || text)
}

/// Whether a function waits for nothing and answers yes or no under a name that begins with a noun: `mail_enabled`.
fn asks(function: &Function) -> bool {
    let noun = matches!(function.name.split('_').next(), Some("mail" | "email" | "sms" | "webhook"));
    let answer =
        matches!(&function.ret, Ty::Path(path) if path.segments.last().is_some_and(|last| last.name == "bool"));
    noun && answer && !function.is_async
}

/// Whether values of a type lead to calls that leave the process.
pub(super) fn leads_out(krate: &str) -> bool {
    krate.starts_with("aws_sdk_") || CRATES.iter().any(|(name, _, _)| *name == krate)
}
