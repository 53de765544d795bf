//! What changed between two results of a live query.

use std::collections::HashMap;

use innsync_domain::{Entity, Uuid};

use crate::live::Change;

/// The changes that make `new` of `old`, in order; `None` where the whole is shorter to tell than they are.
pub(crate) fn difference(old: &[Entity], new: &[Entity]) -> Option<Vec<Change>> {
    let places: HashMap<Uuid, usize> = new.iter().enumerate().map(|(at, entity)| (entity.id(), at)).collect();
    let stays = in_order(old.iter().map(|entity| places.get(&entity.id()).copied()));
    let kept = stays.iter().filter(|stays| **stays).count();
    let (removed, inserted) = (old.len() - kept, new.len() - kept);
    if removed + inserted > new.len() / 2 + 16 {
        return None;
    }
    let mut changes = Vec::new();
    // From the end, so that positions before stay what they are.
    for at in (0..old.len()).rev().filter(|at| !stays[*at]) {
        changes.push(Change::Remove { at });
    }
    let mut remaining =
        old.iter().zip(&stays).filter(|(_, stays)| **stays).map(|(entity, _)| entity).peekable();
    for (at, entity) in new.iter().enumerate() {
        match remaining.next_if(|left| left.id() == entity.id()) {
            Some(left) if left == entity => {}
            Some(_) => changes.push(Change::Update { at, entity: entity.clone() }),
            None => changes.push(Change::Insert { at, entity: entity.clone() }),
        }
    }
    Some(changes)
}

/// Which elements may stay where they are: a longest rising run of their new places (patience sorting).
fn in_order(places: impl ExactSizeIterator<Item = Option<usize>>) -> Vec<bool> {
    let mut stays = vec![false; places.len()];
    // For each length, the element that ends such a run with the lowest place; and each element's predecessor.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(stays.len());
    for (element, place) in places.enumerate() {
        let Some(place) = place else {
            before.push(None);
            continue;
        };
        let length = ends.partition_point(|(end, _)| *end < place);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter].1));
        match ends.get_mut(length) {
            Some(end) => *end = (place, element),
            None => ends.push((place, element)),
        }
    }
    let mut last = ends.last().map(|(_, element)| *element);
    while let Some(element) = last {
        stays[element] = true;
        last = before[element];
    }
    stays
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Update;
    use innsync_domain::{EntityKind, Timestamp};

    fn suite(number: u32, status: &str) -> Entity {
        let id = Uuid::from_u128(u128::from(number));
        let row = serde_json::json!({
            "id": id, "suiteNumber": number.to_string(), "floor": 1, "status": status, "version": 1,
            "updatedAt": Timestamp::from_millis(0), "updatedBy": Uuid::nil(),
        });
        Entity::from_value(&EntityKind::Suite, row).unwrap()
    }

    fn list(numbers: &[u32]) -> Vec<Entity> {
        numbers.iter().map(|number| suite(*number, "VACANT_CLEAN")).collect()
    }

    fn check(old: &[u32], new: &[u32]) -> usize {
        let (mut shown, new) = (list(old), list(new));
        let changes = difference(&shown, &new).unwrap();
        let count = changes.len();
        Update::Diff(changes).apply(&mut shown);
        assert_eq!(shown, new);
        count
    }

    #[test]
    fn the_changes_make_the_new_list_of_the_old_one() {
        assert_eq!(check(&[], &[]), 0);
        assert_eq!(check(&[1, 2, 3], &[1, 2, 3]), 0);
        assert_eq!(check(&[1, 2, 3], &[2, 3]), 1);
        assert_eq!(check(&[1, 2, 3], &[1, 4, 2, 3]), 1);
        assert_eq!(
            check(&[1, 2, 3, 4], &[2, 3, 4, 1]),
            2,
            "what moved is removed and inserted, the rest stays"
        );
        assert_eq!(check(&[1, 2, 3, 4], &[4, 1, 2, 3]), 2);
        check(&[5, 1, 4, 2], &[2, 9, 5, 4, 7]);
        check(&[1, 2, 3], &[]);
    }

    #[test]
    fn a_changed_row_is_an_update_in_its_place() {
        let old = list(&[101, 102]);
        let mut new = old.clone();
        new[1] = suite(102, "VACANT_DIRTY");
        assert_eq!(difference(&old, &new).unwrap(), [Change::Update { at: 1, entity: new[1].clone() }]);
    }

    #[test]
    fn another_list_altogether_is_told_as_a_whole() {
        let (old, new): (Vec<u32>, Vec<u32>) = ((0..100).collect(), (100..200).collect());
        assert_eq!(difference(&list(&old), &list(&new)), None);
    }

    #[test]
    fn random_lists_agree() {
        let mut seed = 7_u32;
        let mut random = move |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) % below
        };
        for _ in 0..300 {
            let mut pick = |count: u32| -> Vec<u32> {
                let mut numbers: Vec<u32> = (0..count).map(|_| random(12)).collect();
                numbers.sort_by_cached_key(|_| random(1_000));
                let mut seen = std::collections::HashSet::new();
                numbers.retain(|number| seen.insert(*number));
                numbers
            };
            let (old, new) = (pick(8), pick(8));
            check(&old, &new);
        }
    }
}
