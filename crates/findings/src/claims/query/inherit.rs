//! What the right side of an operator takes over from the left: filters of the same table that it does
//! not name itself.
//!
//! Does not know the tables.

use crate::claims::query::expression::{Choice, Expression, Filter, Selector};

/// The same quantity with every filter said.
pub fn spelled_out(expression: &Expression) -> Expression {
    let mut expression = expression.clone();
    fill(&mut expression, &[]);
    expression
}

fn fill(expression: &mut Expression, from: &[Selector]) {
    match expression {
        Expression::Number(_) | Expression::Constant(_) => {}
        Expression::Select(selector) => {
            if let Some(before) = from.iter().find(|other| other.table == selector.table) {
                let own =
                    |filter: &&Filter| selector.filters.iter().all(|f| f.column != filter.column);
                let taken: Vec<Filter> = before.filters.iter().filter(own).cloned().collect();
                selector.filters.extend(taken);
            }
            let says = |filter: &Filter| filter.others || !filter.values.contains(&Choice::All);
            // One order, so that equal selections are equal.
            selector.filters.retain(says);
            selector.filters.sort_by(|a, b| a.column.cmp(&b.column));
        }
        Expression::Negative(of) | Expression::Map(_, of) => fill(of, from),
        Expression::Along(_, of, _) | Expression::Rank(of, ..) => fill(of, from),
        Expression::Binary(_, left, right) => {
            fill(left, from);
            let from = nearest(left, from);
            fill(right, &from);
        }
        Expression::Aggregate(_, of, _) => {
            let mut from = from.to_vec();
            for of in of {
                fill(of, &from);
                from = nearest(of, &from);
            }
        }
    }
}

/// The first selector of each table on the left, before those from farther away.
fn nearest(left: &Expression, from: &[Selector]) -> Vec<Selector> {
    let near = left.selectors().into_iter().cloned();
    near.chain(from.iter().cloned()).collect()
}
