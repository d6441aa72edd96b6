//! A pool that the program keeps itself: connections in a list, of which a request takes one out.

use crate::client::handles;
use crate::flow::Evaluator;
use crate::flow::value::Value;

/// Calls that give one element of a list, or none.
const ONE: [&str; 9] = ["pop", "pop_front", "pop_back", "first", "last", "front", "back", "next", "swap_remove"];

impl<'p> Evaluator<'p> {
    /// What is taken out of a list of connections, `self.idle.pop()`: one of them, to which statements can be sent.
    pub(super) fn out_of_pool(&mut self, recv: &Value, name: &str) -> Option<Value> {
        if !ONE.contains(&name) || recv.ty.is_unknown() || handles::handle_of(&recv.ty, &self.clients).is_some() {
            return None;
        }
        let element = self.program.element(&recv.ty);
        handles::handle_of(&element, &self.clients)?;
        let value = self.fresh().typed(element);
        self.learn_handle(&value);
        Some(Value { guards: recv.guards.clone(), ..value })
    }
}
