//! The named parameters of a script: what it asks `getopt` for, and whether what the user gave fits.

use crate::ast::{Expr, ExprKind, Script};
use crate::check::parse_integer;
use crate::options::Options;
use crate::walk::{self, Node};

/// One named parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, without dashes.
    pub name: String,
    /// What the script says about it.
    pub description: Option<String>,
    kind: Kind,
}

/// What values it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Integer,
    Boolean,
    /// Any text; also where only the checker can tell.
    Text,
}

/// What is wrong with the named arguments a user gave, as bpftrace puts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// One line; empty where the user only asked which parameters there are.
    pub error: String,
    /// The parameters there are.
    pub hint: String,
}

/// The parameters a script asks for, each once, in the order of its text.
pub fn parameters(script: &Script) -> Vec<Parameter> {
    let mut found = Vec::new();
    for m in &script.macros {
        walk::block(&m.body, &mut |node| of_node(&node, &mut found));
    }
    for probe in &script.probes {
        walk::probe(probe, &mut |node| of_node(&node, &mut found));
    }
    found
}

fn of_node(node: &Node<'_>, found: &mut Vec<Parameter>) {
    let Node::Expr(Expr { node: ExprKind::Call { name, args }, .. }) = node else { return };
    let Some(ExprKind::Str(parameter)) = args.first().map(|arg| &arg.node) else { return };
    if name.node != "getopt" || found.iter().any(|known| known.name == *parameter) {
        return;
    }
    let description = match args.get(2).map(|arg| &arg.node) {
        Some(ExprKind::Str(text)) => Some(text.clone()),
        _ => None,
    };
    found.push(Parameter { name: parameter.clone(), description, kind: kind(args.get(1)) });
}

fn kind(default: Option<&Expr>) -> Kind {
    match default.map(|default| &default.node) {
        None | Some(ExprKind::Bool(_)) => Kind::Boolean,
        Some(ExprKind::Int { .. }) => Kind::Integer,
        Some(ExprKind::Unary { operand, .. }) if matches!(operand.node, ExprKind::Int { .. }) => Kind::Integer,
        Some(_) => Kind::Text,
    }
}

/// What is wrong with the named arguments in `options` for this script; `--help` is answered with the parameters there are.
pub fn problem(script: &Script, options: &Options) -> Option<Problem> {
    let parameters = parameters(script);
    let find = |name: &str| parameters.iter().find(|known| known.name == name);
    if options.named.iter().any(|(name, _)| name == "help" && find(name).is_none()) {
        let lines: String = parameters.iter().map(|parameter| format!("\n    {}", described(parameter))).collect();
        return Some(Problem { error: String::new(), hint: format!("expected program options:{lines}") });
    }
    let unknown: Vec<String> =
        options.named.iter().filter(|(name, _)| find(name).is_none()).map(|(name, _)| format!("--{name}")).collect();
    let mut names: Vec<String> = parameters.iter().map(|parameter| format!("--{}", parameter.name)).collect();
    names.sort_unstable();
    let hint = format!("expected program options: {}", names.join(", "));
    if !unknown.is_empty() {
        let error = format!("unexpected program command line options: {}", unknown.join(", "));
        return Some(Problem { error, hint });
    }
    options.named.iter().find_map(|(name, value)| {
        let what = match (find(name)?.kind, value.as_deref()) {
            (Kind::Integer, Some(value)) if parse_integer(value).is_some() => return None,
            (Kind::Integer, _) => "integer",
            (Kind::Boolean, Some(value)) if boolean(value).is_none() => "boolean",
            _ => return None,
        };
        let value = value.as_deref().unwrap_or_default();
        let error = format!("program command line option --{name} invalid {what} (value: {value})");
        Some(Problem { error, hint: hint.clone() })
    })
}

/// A yes or no as users write it.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn described(parameter: &Parameter) -> String {
    match &parameter.description {
        Some(text) => format!("--{}: {text}", parameter.name),
        None => format!("--{}", parameter.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = r#"
        macro top() { getopt("top", 10, "how many") }
        begin { print(top()); print(getopt("name", "x")); print(getopt("deep")); print(getopt("less", -1)); }"#;

    fn told(named: &[(&str, Option<&str>)]) -> Option<Problem> {
        let named = named.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        problem(&crate::parse(SCRIPT).unwrap(), &Options { named, ..Options::default() })
    }

    #[test]
    fn every_parameter_is_found_once() {
        let found = parameters(&crate::parse(SCRIPT).unwrap());
        let names: Vec<&str> = found.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["top", "name", "deep", "less"]);
        assert_eq!(found[0].description.as_deref(), Some("how many"));
    }

    #[test]
    fn arguments_that_fit_are_no_problem() {
        assert_eq!(told(&[("top", Some("0x10")), ("name", Some("y")), ("deep", None), ("less", Some("-7"))]), None);
        assert_eq!(told(&[("deep", Some("False"))]), None);
    }

    #[test]
    fn an_argument_nobody_asks_for_is_told_with_those_that_are() {
        let problem = told(&[("bottom", None)]).unwrap();
        assert_eq!(problem.error, "unexpected program command line options: --bottom");
        assert_eq!(problem.hint, "expected program options: --deep, --less, --name, --top");
    }

    #[test]
    fn an_argument_of_the_wrong_type_is_told_with_its_value() {
        let error = |named| told(&[named]).unwrap().error;
        assert_eq!(error(("top", Some("no"))), "program command line option --top invalid integer (value: no)");
        assert_eq!(error(("deep", Some("9"))), "program command line option --deep invalid boolean (value: 9)");
    }

    #[test]
    fn a_plea_for_help_lists_the_parameters() {
        let problem = told(&[("help", None)]).unwrap();
        assert_eq!(problem.error, "");
        assert_eq!(problem.hint, "expected program options:\n    --top: how many\n    --name\n    --deep\n    --less");
    }
}
