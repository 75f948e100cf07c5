//! What the demo prints: how the jobs come along, the merged maps, and what each node contributed to them.

use api::status::{Phase, TraceJobStatus};
use comfy_table::{CellAlignment, Table, presets};
use operator::index::JobRef;
use operator::index::document::Outcome;
use report::bound::mass;
use report::render::text;
use report::snapshot::{Key, MapData};

/// Rows of the table of contributions, at most; the largest.
const ROWS: usize = 8;

/// One line about all jobs.
pub fn progress(agents: usize, statuses: &[(JobRef, TraceJobStatus)]) -> String {
    let jobs =
        statuses.iter().map(|(job, status)| format!("{} {:?} on {}", job.name, status.phase, status.nodes.taking));
    format!("{agents} agents connected; {}", jobs.collect::<Vec<_>>().join("; "))
}

/// The result of one job; false where it is not whole.
pub fn outcome(name: &str, outcome: &Outcome) -> bool {
    let status = &outcome.status;
    println!("\n{name}: {:?} on {} nodes", status.phase, status.nodes.taking);
    status.failures.iter().for_each(|failure| println!("  {}: {}", failure.node, failure.message));
    print!("{}", text::snapshot(&outcome.merged.total).trim_start_matches('\n'));
    let mut whole = status.phase == Phase::Succeeded && status.failures.is_empty();
    for (map, merged) in
        outcome.merged.total.maps.iter().filter(|(_, data)| data.rows.values().any(|cell| mass(cell) != 0))
    {
        println!("\nwhat each node counted in {map}:\n{}", contributions(outcome, map, merged));
        whole &= adds_up(outcome, map, merged);
    }
    whole
}

/// How much of a map's row came from one node: events counted, values observed, or their total for `sum`.
fn share(outcome: &Outcome, node: &str, map: &str, key: &Key) -> i128 {
    let data = outcome.nodes.get(node).and_then(|snapshot| snapshot.maps.get(map));
    data.and_then(|data| data.rows.get(key)).map_or(0, mass)
}

fn adds_up(outcome: &Outcome, map: &str, merged: &MapData) -> bool {
    merged
        .rows
        .iter()
        .all(|(key, cell)| outcome.nodes.keys().map(|node| share(outcome, node, map, key)).sum::<i128>() == mass(cell))
}

fn contributions(outcome: &Outcome, map: &str, merged: &MapData) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let nodes: Vec<&str> = outcome.nodes.keys().map(String::as_str).collect();
    table.set_header([&["key"], nodes.as_slice(), &["merged", ""]].concat());
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let mut rows: Vec<_> = merged.rows.iter().map(|(key, cell)| (key, mass(cell))).collect();
    rows.sort_by_key(|(_, mass)| std::cmp::Reverse(*mass));
    let mut total = vec![0; nodes.len()];
    for (at, (key, merged)) in rows.iter().enumerate() {
        let shares: Vec<i128> = nodes.iter().map(|node| share(outcome, node, map, key)).collect();
        total.iter_mut().zip(&shares).for_each(|(total, share)| *total += share);
        if at < ROWS {
            table.add_row(line(text::key(key), &shares, *merged));
        }
    }
    if rows.len() > ROWS {
        table.add_row(vec![format!("... {} more", rows.len() - ROWS)]);
    }
    let all = rows.iter().map(|(_, mass)| mass).sum();
    table.add_row(line("total".to_owned(), &total, all));
    table
}

fn line(name: String, shares: &[i128], merged: i128) -> Vec<String> {
    let verdict = if shares.iter().sum::<i128>() == merged { "adds up" } else { "DOES NOT ADD UP" };
    let shares = shares.iter().map(i128::to_string);
    std::iter::once(name).chain(shares).chain([merged.to_string(), verdict.to_owned()]).collect()
}
