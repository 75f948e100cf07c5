//! Macros: each call becomes a block with the macro's body, its parameters replaced by what the call gives.
//!
//! Macros are hygienic: variables of the body are others than the caller's, unless the caller hands one over. A parameter `$x` takes a
//! variable, `@m` a map, and a bare name any expression, computed anew wherever the name stands.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::ast::{Expr, ExprKind, Macro, Script, TypeBase};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::rewrite::{self, Rewrite};
use crate::span::Span;

/// How deep macros may call macros.
const MOST_DEPTH: usize = 32;
/// How many expressions all calls together may come to: arguments named twice double, and double again.
const MOST_NODES: usize = 200_000;
/// How high the tree of one call may be, as high as the parser allows.
const MOST_HEIGHT: usize = 256;

/// The script without calls of macros.
pub fn expand<'a>(script: &'a Script, diagnostics: &mut Diagnostics) -> Cow<'a, Script> {
    if script.macros.is_empty() {
        return Cow::Borrowed(script);
    }
    let mut expanded = script.clone();
    let mut calls = Calls { macros: &script.macros, open: vec![], count: 0, nodes: 0, diagnostics };
    for probe in &mut expanded.probes {
        if let Some(predicate) = &mut probe.predicate {
            rewrite::expr(predicate, &mut calls);
        }
        rewrite::block(&mut probe.body, &mut calls);
    }
    expanded.macros.clear();
    Cow::Owned(expanded)
}

/// Replaces calls.
struct Calls<'a> {
    macros: &'a [Macro],
    /// The macros whose bodies are being expanded.
    open: Vec<&'a str>,
    count: u32,
    nodes: usize,
    diagnostics: &'a mut Diagnostics,
}

impl Rewrite for Calls<'_> {
    fn expr(&mut self, e: &mut Expr) {
        let (name, args): (&str, &[Expr]) = match &e.node {
            ExprKind::Call { name, args } => (&name.node, args),
            ExprKind::Ident(name) => (name, &[]),
            _ => return,
        };
        let macros = self.macros;
        let mut named = macros.iter().filter(|m| m.name.node == name);
        let Some(first) = named.next() else { return };
        let fitting = std::iter::once(first).chain(named).find(|m| m.params.len() == args.len());
        let is_function = crate::function::find(name).is_some() || crate::builtin::find(name).is_some();
        let called = match fitting {
            Some(fitting) => fitting,
            // What takes other arguments leaves the language's own function of the name alone.
            None if is_function => return,
            None => first,
        };
        // Without parentheses a name stands for a macro only if that takes nothing.
        if matches!(e.node, ExprKind::Ident(_)) && !called.params.is_empty() {
            return;
        }
        if let Some(body) = self.body(called, args, e.span) {
            e.node = body;
        } else {
            // What is wrong has been reported: nothing more is to be said about this expression.
            e.node = ExprKind::Int { value: 0, text: "0".into() };
        }
    }
}

impl<'a> Calls<'a> {
    fn body(&mut self, called: &'a Macro, args: &[Expr], span: Span) -> Option<ExprKind> {
        self.count += 1;
        if self.open.contains(&called.name.node.as_str()) || self.open.len() >= MOST_DEPTH {
            return self.endless(called, span);
        }
        let substitution = self.substitution(called, args, span)?;
        let mut body = called.body.clone();
        rewrite::block(&mut body, &mut { substitution });
        self.open.push(&called.name.node);
        rewrite::block(&mut body, self);
        self.open.pop();
        let mut size = Size::default();
        rewrite::block(&mut body, &mut size);
        self.nodes += size.nodes;
        if size.most > MOST_HEIGHT || self.nodes > MOST_NODES {
            return self.endless(called, span);
        }
        Some(ExprKind::Block(body))
    }

    fn endless(&mut self, called: &Macro, span: Span) -> Option<ExprKind> {
        let message = format!("macro `{}` calls itself, or comes to too much", called.name.node);
        self.diagnostics
            .push(Diagnostic::error("E0212", span, message).related(called.name.span, "it is defined here"));
        None
    }

    fn substitution(&mut self, called: &Macro, args: &[Expr], span: Span) -> Option<Substitution> {
        if called.params.len() != args.len() {
            let (wanted, given) = (called.params.len(), args.len());
            let message = format!("macro `{}` takes {wanted} arguments, {given} given", called.name.node);
            self.diagnostics
                .push(Diagnostic::error("E0211", span, message).related(called.name.span, "it is defined here"));
            return None;
        }
        let mut substitution = Substitution { call: self.count, names: HashMap::new(), expressions: HashMap::new() };
        for (param, arg) in called.params.iter().zip(args) {
            let name = param.node.clone();
            match (name.chars().next(), &arg.node) {
                (Some('$'), ExprKind::Variable(given)) | (Some('@'), ExprKind::Map(given)) => {
                    substitution.names.insert(name, given.clone());
                }
                (Some('$' | '@'), _) => {
                    let what = if name.starts_with('$') { "a variable" } else { "a map" };
                    let message = format!("macro `{}` takes {what} here", called.name.node);
                    let note = format!("`{name}` is declared here");
                    self.diagnostics.push(Diagnostic::error("E0211", arg.span, message).related(param.span, note));
                    return None;
                }
                _ => {
                    substitution.expressions.insert(name, arg.clone());
                }
            }
        }
        Some(substitution)
    }
}

/// Puts arguments in the place of parameters.
struct Substitution {
    /// Tells the variables of this call's body from all others.
    call: u32,
    names: HashMap<String, String>,
    expressions: HashMap<String, Expr>,
}

impl Rewrite for Substitution {
    fn expr(&mut self, e: &mut Expr) {
        if let ExprKind::Ident(name) = &e.node
            && let Some(given) = self.expressions.get(name)
        {
            e.node = given.node.clone();
        }
    }

    fn type_base(&mut self, base: &mut TypeBase) {
        if let TypeBase::Name(name) = base
            && let Some(Expr { node: ExprKind::Typeof(of), .. }) = self.expressions.get(name)
        {
            *base = TypeBase::Typeof(Box::new(of.clone()));
        }
    }

    fn variable(&mut self, name: &mut String) {
        match self.names.get(name) {
            Some(given) => name.clone_from(given),
            None => name.push_str(&format!("'{}", self.call)),
        }
    }

    fn map(&mut self, name: &mut String) {
        if let Some(given) = self.names.get(name) {
            name.clone_from(given);
        }
    }
}

/// How large a tree is.
#[derive(Default)]
struct Size {
    nodes: usize,
    height: usize,
    most: usize,
}

impl Rewrite for Size {
    fn expr(&mut self, _: &mut Expr) {}

    fn enter(&mut self) {
        self.nodes += 1;
        self.height += 1;
        self.most = self.most.max(self.height);
    }

    fn leave(&mut self) {
        self.height -= 1;
    }
}
