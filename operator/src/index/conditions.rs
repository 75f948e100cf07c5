//! The conditions of one job: all five from the first visit on, each with the time of its last change.

use std::collections::BTreeMap;

use api::limits;
use api::reason::{ConditionType, Reason};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// A condition's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// Not known yet.
    Unknown,
}

impl Truth {
    fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// Most bytes of a message, as metav1.Condition has it.
const MESSAGE_BYTES: usize = 32 * 1024;

/// The conditions of one job.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions(BTreeMap<ConditionType, Condition>);

impl Conditions {
    /// All of them unknown.
    pub fn unknown(generation: i64, now: Timestamp) -> Self {
        let mut conditions = Self(BTreeMap::new());
        for kind in ConditionType::ALL {
            conditions.set(kind, Truth::Unknown, Reason::Pending, String::new(), generation, now);
        }
        conditions
    }

    /// Those of a status that an earlier operator wrote, completed where one is missing.
    pub fn restored(written: &[Condition], generation: i64, now: Timestamp) -> Self {
        let mut conditions = Self::unknown(generation, now);
        for kind in ConditionType::ALL {
            if let Some(condition) = written.iter().find(|condition| condition.type_ == kind.to_string()) {
                conditions.0.insert(kind, condition.clone());
            }
        }
        conditions
    }

    /// Says something about one of them. The transition time moves only when the truth does.
    pub fn set(
        &mut self,
        kind: ConditionType,
        truth: Truth,
        reason: Reason,
        message: String,
        generation: i64,
        now: Timestamp,
    ) {
        let unchanged = self.0.get(&kind).filter(|condition| condition.status == truth.as_str());
        let since =
            unchanged.map_or_else(|| Time(whole_seconds(now)), |condition| condition.last_transition_time.clone());
        let condition = Condition {
            type_: kind.to_string(),
            status: truth.as_str().to_owned(),
            reason: reason.to_string(),
            message: shortened(message, MESSAGE_BYTES.min(limits::STATUS_TEXT_BYTES)),
            observed_generation: Some(generation),
            last_transition_time: since,
        };
        self.0.insert(kind, condition);
    }

    /// Whether one of them holds.
    pub fn is_true(&self, kind: ConditionType) -> bool {
        self.0.get(&kind).is_some_and(|condition| condition.status == Truth::True.as_str())
    }

    /// As a status lists them.
    pub fn list(&self) -> Vec<Condition> {
        self.0.values().cloned().collect()
    }
}

/// Kubernetes' times have no fraction; one that had would not compare equal after a round trip.
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// The text, or its beginning with a mark at the end when it has more than `bytes`.
pub fn shortened(mut text: String, bytes: usize) -> String {
    const MARK: &str = "...";
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes.saturating_sub(MARK.len())));
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_condition_is_there_from_the_beginning() {
        let conditions = Conditions::unknown(3, Timestamp::UNIX_EPOCH).list();
        let names: Vec<_> = conditions.iter().map(|condition| condition.type_.as_str()).collect();
        assert_eq!(names, ["Accepted", "Scheduled", "Degraded", "ResultsStored", "Succeeded"]);
        assert!(conditions.iter().all(|c| c.status == "Unknown" && c.observed_generation == Some(3)));
    }

    #[test]
    fn the_transition_time_moves_with_the_truth_only() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let mut conditions = Conditions::unknown(1, at(0));
        let kind = ConditionType::Degraded;
        conditions.set(kind, Truth::False, Reason::AllNodesWell, String::new(), 1, at(5));
        conditions.set(kind, Truth::False, Reason::AllNodesWell, "fine".to_owned(), 1, at(9));
        let time = |conditions: &Conditions| conditions.0.get(&kind).map(|c| c.last_transition_time.0);
        assert_eq!(time(&conditions), Some(at(5)));
        conditions.set(kind, Truth::True, Reason::NodesFailed, String::new(), 1, at(12));
        assert_eq!(time(&conditions), Some(at(12)));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(shortened("ééé".to_owned(), 6), "ééé");
        assert_eq!(shortened("éééé".to_owned(), 6), "é...");
    }
}
