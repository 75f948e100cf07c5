//! The node selector: a metav1.LabelSelector with bounds, and how it matches labels.
//!
//! An own type instead of k8s-openapi's, because a resource's lists must be bounded in its schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which nodes: every requirement must hold. An empty selector matches every node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelSelector {
    /// Labels that must have exactly these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 32))]
    pub match_labels: BTreeMap<String, String>,
    /// Further requirements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub match_expressions: Vec<Requirement>,
}

/// A requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Requirement {
    /// The label's name.
    #[schemars(length(min = 1, max = 317))]
    pub key: String,
    /// How its value relates to `values`.
    pub operator: Operator,
    /// Not empty for In and NotIn, empty for Exists and DoesNotExist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 256), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label's value relates to a requirement's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Operator {
    /// The label is there and its value is one of them.
    In,
    /// The label is not there, or its value is none of them.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
}

impl LabelSelector {
    /// Whether a node with these labels is meant.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|requirement| requirement.matches(labels))
    }

    /// What is wrong with it, in words, if anything.
    pub fn problem(&self) -> Option<String> {
        self.match_expressions.iter().find_map(|requirement| {
            let wants_values = matches!(requirement.operator, Operator::In | Operator::NotIn);
            match (wants_values, requirement.values.is_empty()) {
                (true, true) => Some(format!("{:?} on {} needs values", requirement.operator, requirement.key)),
                (false, false) => Some(format!("{:?} on {} takes no values", requirement.operator, requirement.key)),
                _ => None,
            }
        })
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.contains(value)),
            Operator::NotIn => !value.is_some_and(|value| self.values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn expression(operator: Operator, values: &[&str]) -> LabelSelector {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let requirement = Requirement { key: "zone".to_owned(), operator, values };
        LabelSelector { match_expressions: vec![requirement], ..LabelSelector::default() }
    }

    #[test]
    fn an_empty_selector_matches_every_node() {
        assert!(LabelSelector::default().matches(&labels(&[])));
        assert!(LabelSelector::default().matches(&labels(&[("zone", "a")])));
    }

    #[test]
    fn every_label_must_match() {
        let selector = LabelSelector { match_labels: labels(&[("zone", "a"), ("disk", "ssd")]), ..Default::default() };
        assert!(selector.matches(&labels(&[("zone", "a"), ("disk", "ssd"), ("x", "y")])));
        assert!(!selector.matches(&labels(&[("zone", "a")])));
        assert!(!selector.matches(&labels(&[("zone", "b"), ("disk", "ssd")])));
    }

    #[test]
    fn a_missing_label_satisfies_the_negative_operators_only() {
        for (operator, values, matches) in [
            (Operator::In, &["a"][..], false),
            (Operator::NotIn, &["a"], true),
            (Operator::Exists, &[], false),
            (Operator::DoesNotExist, &[], true),
        ] {
            assert_eq!(expression(operator, values).matches(&labels(&[("disk", "a")])), matches, "{operator:?}");
        }
    }

    #[test]
    fn a_present_label_is_compared_with_the_values() {
        for (operator, values, matches) in [
            (Operator::In, &["a", "b"][..], true),
            (Operator::In, &["b"], false),
            (Operator::NotIn, &["a"], false),
            (Operator::NotIn, &["b"], true),
            (Operator::Exists, &[], true),
            (Operator::DoesNotExist, &[], false),
        ] {
            assert_eq!(expression(operator, values).matches(&labels(&[("zone", "a")])), matches, "{operator:?}");
        }
    }

    #[test]
    fn values_must_fit_the_operator() {
        assert!(expression(Operator::In, &[]).problem().is_some());
        assert!(expression(Operator::Exists, &["a"]).problem().is_some());
        assert!(expression(Operator::NotIn, &["a"]).problem().is_none());
    }
}
