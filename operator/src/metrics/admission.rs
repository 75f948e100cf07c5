//! Which rows of a job have a series of their own. The first to come keep their place until the job is gone: a series that
//! came and went with its rank would look like a counter that was reset.

use std::collections::{BTreeMap, BTreeSet};

use api::limits;
use api::tracejob::Metrics;
use api::wire::JobUid;

use super::families::Labels;

/// The rows with a series, by job and family.
#[derive(Debug, Default)]
pub struct Admission {
    jobs: BTreeMap<JobUid, Admitted>,
}

/// The rows of one job with a series.
#[derive(Debug, Default)]
pub struct Admitted {
    rows: BTreeMap<String, BTreeSet<Labels>>,
    series: usize,
    most: usize,
}

impl Admission {
    /// Forgets jobs that are gone.
    pub fn keep_only<'a>(&mut self, jobs: impl Iterator<Item = &'a JobUid>) {
        let there: BTreeSet<&JobUid> = jobs.collect();
        self.jobs.retain(|job, _| there.contains(job));
    }

    /// The rows of one job.
    pub fn of(&mut self, job: &JobUid, metrics: &Metrics) -> &mut Admitted {
        let most = metrics.max_series.unwrap_or(limits::SERIES_DEFAULT).min(limits::SERIES_MAX);
        let admitted = self.jobs.entry(job.clone()).or_default();
        admitted.most = usize::try_from(most).unwrap_or(usize::MAX);
        admitted
    }
}

impl Admitted {
    /// Whether a row may have its series, `cost` of them if it is new.
    pub fn admits(&mut self, family: &str, labels: &Labels, cost: usize) -> bool {
        let rows = self.rows.entry(family.to_owned()).or_default();
        if rows.contains(labels) {
            return true;
        }
        let admits = self.series + cost <= self.most;
        if admits {
            self.series += cost;
            rows.insert(labels.clone());
        }
        admits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(value: &str) -> Labels {
        vec![("comm".to_owned(), value.to_owned())]
    }

    #[test]
    fn a_row_keeps_its_place_when_others_come() {
        let mut admission = Admission::default();
        let metrics = Metrics { max_series: Some(2), ..Metrics::default() };
        let job = JobUid("j".to_owned());
        let admitted = admission.of(&job, &metrics);
        assert!(admitted.admits("f", &labels("a"), 1) && admitted.admits("f", &labels("b"), 1));
        assert!(!admitted.admits("f", &labels("c"), 1));
        assert!(admitted.admits("f", &labels("a"), 1));
        admission.keep_only([].into_iter());
        assert!(admission.of(&job, &metrics).admits("f", &labels("c"), 1));
    }
}
