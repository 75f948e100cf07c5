//! Which nodes a job runs on: those its selector means, sampled evenly where it wants fewer.
//!
//! Pure and repeatable: the same job over the same nodes gives the same choice, whatever the order and whichever
//! operator computes it. Each node's rank is a hash of job and node (rendezvous hashing), so that one node more or less
//! changes one place of the sample, and two jobs do not always burden the same nodes.

use std::collections::BTreeMap;

use api::selector::LabelSelector;
use api::wire::JobUid;
use sha2::{Digest, Sha256};

/// The nodes of `candidates` (names with labels) on which `job` runs, in name order.
pub fn choose<'a>(
    job: &JobUid,
    selector: Option<&LabelSelector>,
    max_nodes: Option<u32>,
    candidates: impl IntoIterator<Item = (&'a str, &'a BTreeMap<String, String>)>,
) -> Vec<String> {
    let mut chosen: Vec<&str> = candidates
        .into_iter()
        .filter(|(_, labels)| selector.is_none_or(|selector| selector.matches(labels)))
        .map(|(name, _)| name)
        .collect();
    if let Some(max_nodes) = max_nodes.and_then(|max| usize::try_from(max).ok())
        && chosen.len() > max_nodes
    {
        chosen.sort_by_cached_key(|name| rank(job, name));
        chosen.truncate(max_nodes);
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen.into_iter().map(str::to_owned).collect()
}

fn rank(job: &JobUid, node: &str) -> [u8; 32] {
    Sha256::new().chain_update(job.0.as_bytes()).chain_update([0]).chain_update(node.as_bytes()).finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn nodes(count: usize) -> BTreeMap<String, BTreeMap<String, String>> {
        let zone =
            |n: usize| BTreeMap::from([("zone".to_owned(), if n.is_multiple_of(2) { "a" } else { "b" }.to_owned())]);
        (0..count).map(|n| (format!("node-{n:04}"), zone(n))).collect()
    }

    fn sample(job: &str, max: u32, nodes: &BTreeMap<String, BTreeMap<String, String>>) -> BTreeSet<String> {
        let candidates = nodes.iter().map(|(name, labels)| (name.as_str(), labels));
        choose(&JobUid(job.to_owned()), None, Some(max), candidates).into_iter().collect()
    }

    #[test]
    fn the_selector_decides_by_labels() {
        let nodes = nodes(4);
        let selector =
            LabelSelector { match_labels: [("zone".to_owned(), "a".to_owned())].into(), ..Default::default() };
        let candidates = nodes.iter().map(|(name, labels)| (name.as_str(), labels));
        assert_eq!(choose(&JobUid("j".to_owned()), Some(&selector), None, candidates), ["node-0000", "node-0002"]);
    }

    #[test]
    fn a_sample_has_the_wanted_size_and_moves_little() {
        let many = nodes(200);
        let before = sample("j", 50, &many);
        assert_eq!(before.len(), 50);
        let mut fewer = many.clone();
        fewer.remove(before.first().expect("not empty"));
        assert_eq!(before.intersection(&sample("j", 50, &fewer)).count(), 49);
        assert_eq!(sample("j", 500, &many).len(), 200);
    }

    #[test]
    fn samples_of_many_jobs_burden_all_nodes_alike() {
        let nodes = nodes(20);
        let mut taken: BTreeMap<String, u32> = BTreeMap::new();
        for job in 0..1000 {
            sample(&format!("job-{job}"), 5, &nodes).into_iter().for_each(|node| *taken.entry(node).or_default() += 1);
        }
        assert!(taken.values().all(|count| (180..330).contains(count)), "{taken:?}");
    }
}
