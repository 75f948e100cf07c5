//! Reads a Grafana dashboard: its panels, and its queries with the variables filled in as Grafana would.

use std::path::Path;

use serde_json::Value;

/// A dashboard's JSON.
#[derive(Debug)]
pub struct Dashboard(Value);

/// One query.
#[derive(Debug, PartialEq)]
pub struct Query {
    /// The panel it belongs to, or the variable it fills.
    pub title: String,
    /// A PromQL expression without variables.
    pub expression: String,
}

/// What Grafana itself puts in; two minutes suit a scrape interval of up to 30 s.
const BUILT_IN: [(&str, &str); 3] = [("__rate_interval", "2m"), ("__interval", "15s"), ("__range", "15m")];

impl Dashboard {
    /// Reads a file.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn read(path: &Path) -> Dashboard {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Dashboard(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// All panels, those inside rows too.
    pub fn panels(&self) -> Vec<&Value> {
        let outer = self.0["panels"].as_array().into_iter().flatten();
        outer.flat_map(|panel| std::iter::once(panel).chain(panel["panels"].as_array().into_iter().flatten())).collect()
    }

    /// The queries of all panels and of the variables. `chosen` gives variables their values; the others are called
    /// `any`.
    ///
    /// # Panics
    /// When a query uses a variable that the dashboard does not define.
    pub fn queries(&self, chosen: &[(&str, &str)]) -> Vec<Query> {
        let mut values: Vec<(&str, &str)> = BUILT_IN.to_vec();
        let variables: Vec<&Value> = self.0["templating"]["list"].as_array().into_iter().flatten().collect();
        for name in variables.iter().filter_map(|variable| variable["name"].as_str()) {
            let value = chosen.iter().find(|(chosen, _)| *chosen == name).map_or("any", |(_, value)| value);
            values.push((name, value));
        }
        let fill = |title: &Value, text: &str| {
            let title = title.as_str().unwrap_or_default().to_owned();
            let expression = substitute(text, &values).unwrap_or_else(|name| panic!("{title} uses ${name}"));
            Query { title, expression }
        };
        let of_panels = self.panels().into_iter().flat_map(|panel| {
            let targets = panel["targets"].as_array().into_iter().flatten();
            targets
                .filter_map(|target| target["expr"].as_str())
                .map(|text| fill(&panel["title"], text))
                .collect::<Vec<_>>()
        });
        let of_variables = variables.iter().filter_map(|variable| {
            let text = variable["query"]["query"].as_str()?;
            let series = text.strip_prefix("label_values(")?.rsplit_once(',')?.0;
            Some(fill(&variable["name"], series))
        });
        of_panels.chain(of_variables).collect()
    }
}

/// Replaces `$name` and `${name}`; the error is a name without a value.
fn substitute(text: &str, values: &[(&str, &str)]) -> Result<String, String> {
    let mut parts = text.split('$');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = match part.strip_prefix('{').and_then(|braced| braced.split_once('}')) {
            Some(split) => split,
            None => part.split_at(part.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(part.len())),
        };
        let (_, value) = values.iter().find(|(known, _)| *known == name).ok_or(name)?;
        filled.extend([value, rest]);
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_filled_in_both_spellings() {
        let values = [("a", "1"), ("a_b", "2")];
        assert_eq!(substitute("x{p=\"$a\"}[${a_b}] $a_b", &values), Ok("x{p=\"1\"}[2] 2".to_owned()));
        assert_eq!(substitute("$c", &values), Err("c".to_owned()));
    }

    #[test]
    fn queries_come_from_panels_in_rows_and_from_variables() {
        let dashboard = Dashboard(serde_json::json!({
            "templating": { "list": [{ "name": "v", "query": { "query": "label_values(up{a=\"$v\"}, job)" } }] },
            "panels": [{ "title": "row", "panels": [{ "title": "inner", "targets": [{ "expr": "rate(x[$__interval])" }] }] }],
        }));
        let expected = [("inner", "rate(x[15s])"), ("v", "up{a=\"1\"}")]
            .map(|(title, expression)| Query { title: title.into(), expression: expression.into() });
        assert_eq!(dashboard.queries(&[("v", "1")]), expected);
    }
}
