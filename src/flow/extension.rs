//! Methods that traits of the program give to every result and option: `query.execute(pool).await.or_internal()?`.
//!
//! They change what the error says. What is inside is handed on, or thrown away, as their signature says; which of several
//! errors they are for makes no difference to that.

use crate::flow::Evaluator;
use crate::flow::known::is_combinator;
use crate::flow::term::Term;
use crate::flow::value::{Value, Wrap};
use crate::link::{FnId, Type, Via};
use crate::lower::tree::MethodCall;
use crate::span::Range;

/// What stands for the type inside.
const INSIDE: [&str; 2] = ["", "inside"];

impl<'p> Evaluator<'p> {
    /// A method that a trait of the program adds to the result or option that a statement gave.
    pub(super) fn added_method(&mut self, recv: &Value, call: &MethodCall, args: &[Value], at: Range) -> Option<Value> {
        if is_combinator(&call.name) {
            return None;
        }
        let begun = matches!(self.terms.get(recv.term), Term::Transaction(_));
        let value = if recv.wrap != Wrap::Bare || begun {
            self.extended_result(recv, call)?
        } else if !self.terms.origins(recv.term).is_empty() {
            let option = option(inside());
            self.gives(call, &option).filter(|given| *given == Given::Inside)?;
            recv.clone()
        } else {
            return None;
        };
        self.run_closures(args, at);
        Some(value)
    }

    /// A method of another crate on a result that is still one behind it, since `?` takes it apart there: it changes what the
    /// error says.
    pub(super) fn result_handed_on(
        &mut self,
        recv: &Value,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        let begun = matches!(self.terms.get(recv.term), Term::Transaction(_));
        let of_client = recv.wrap != Wrap::Bare || recv.query().is_some() || begun;
        let declared = || self.program.methods(self.frame.scope, &result(inside()), &call.name);
        let handed_on = of_client && self.frame.taken_apart == Some(at.start) && declared().functions.is_empty();
        handed_on.then(|| {
            self.run_closures(args, at);
            recv.clone()
        })
    }

    /// A method that a trait of the program gives to every result or option: what it is called on with another error, where
    /// its signature says so and it does nothing beside that. What is inside is what it was, not one more value that a
    /// library may have made.
    pub(super) fn with_another_error(
        &mut self,
        recv: &Value,
        call: &MethodCall,
        args: &[Value],
        at: Range,
    ) -> Option<Value> {
        let of = match recv.ty.external_name()? {
            "Result" => result(inside()),
            "Option" => option(inside()),
            _ => return None,
        };
        if self.gives(call, &of)? != Given::Inside {
            return None;
        }
        let mut functions = self.extending(call, &of)?.into_iter();
        let result = |ev: &Self, id| ev.program.returns(id, Some(&of), &[]).external_name() == Some("Result");
        if !functions.all(|id| result(self, id) && self.flow(id).is_some_and(|flow| flow.events.is_empty())) {
            return None;
        }
        self.run_closures(args, at);
        Some(recv.clone())
    }

    fn extended_result(&mut self, recv: &Value, call: &MethodCall) -> Option<Value> {
        if let Some(given) = self.gives(call, &result(inside())) {
            return Some(match given {
                Given::Inside => recv.clone(),
                Given::Nothing => Value::new(self.terms.literal("()"), Type::Unit).in_result(),
            });
        }
        // An option in a result is an error when it is none.
        let given = self.gives(call, &result(option(inside())))?;
        (given == Given::Inside).then(|| Value { wrap: Wrap::Bare, refused: None, ..recv.clone() })
    }

    /// The methods that traits of the program give to a type.
    fn extending(&self, call: &MethodCall, of: &Type) -> Option<Vec<FnId>> {
        let found = self.program.methods(self.frame.scope, of, &call.name);
        (found.via == Via::TraitImpl && found.receiver == *of).then_some(found.functions)
    }

    /// What the method gives of a value of this type, by its signature.
    fn gives(&self, call: &MethodCall, of: &Type) -> Option<Given> {
        let functions = self.extending(call, of)?;
        let mut given = functions.iter().map(|id| {
            let Type::External(path, args) = self.program.returns(*id, Some(of), &[]) else { return None };
            match (path.last()?.as_str(), args.first()?) {
                ("Result" | "Option", Type::Unit) => Some(Given::Nothing),
                ("Result" | "Option", held) if *held == inside() => Some(Given::Inside),
                _ => None,
            }
        });
        let first = given.next()??;
        given.all(|other| other == Some(first)).then_some(first)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Inside,
    Nothing,
}

fn inside() -> Type {
    Type::external(INSIDE, &[])
}

fn option(of: Type) -> Type {
    Type::external(["Option"], &[of])
}

fn result(of: Type) -> Type {
    Type::external(["Result"], &[of, Type::Unknown])
}
