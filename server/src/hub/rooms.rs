//! The seed's rooms (§1.2): people join rooms, each with as many sockets as they have. A room decides who is told of an
//! event, never what they may see of it.

use std::collections::{BTreeMap, BTreeSet};

use innsync_domain::{Department, EntityKind, EntityRef, Uuid};

use super::io::ConnId;

/// A room, by what it is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// `all_staff`: everybody joins it.
    AllStaff,
    /// `department:X`: whoever works there joins it.
    Department(Department),
    /// One person's own.
    User(Uuid),
    /// A subscription to all entities of a kind.
    Kind(EntityKind),
    /// A subscription to one entity.
    Entity(EntityRef),
}

/// How many rooms one person may subscribe to.
pub const SUBSCRIPTIONS: usize = 1_000;

/// One property's rooms and the sockets of the people in them.
#[derive(Debug, Default)]
pub struct Rooms {
    clients: BTreeMap<Uuid, BTreeSet<ConnId>>,
    rooms: BTreeMap<Room, BTreeSet<Uuid>>,
    /// The same, by person.
    joined: BTreeMap<Uuid, BTreeSet<Room>>,
}

impl Rooms {
    /// A person's socket is there.
    pub fn connect(&mut self, user: Uuid, conn: ConnId) {
        self.clients.entry(user).or_default().insert(conn);
    }

    /// A person's socket is gone. With the last one they leave all rooms.
    pub fn disconnect(&mut self, user: Uuid, conn: ConnId) {
        let Some(conns) = self.clients.get_mut(&user) else { return };
        conns.remove(&conn);
        if conns.is_empty() {
            self.clients.remove(&user);
            self.leave_all(user);
        }
    }

    /// A person joins a room.
    pub fn join(&mut self, user: Uuid, room: Room) {
        self.rooms.entry(room.clone()).or_default().insert(user);
        self.joined.entry(user).or_default().insert(room);
    }

    /// A person leaves a room; an empty one is gone.
    pub fn leave(&mut self, user: Uuid, room: &Room) {
        if let Some(rooms) = self.joined.get_mut(&user) {
            rooms.remove(room);
            self.take_out(user, room);
        }
    }

    /// A person leaves every room.
    pub fn leave_all(&mut self, user: Uuid) {
        for room in self.joined.remove(&user).unwrap_or_default() {
            self.take_out(user, &room);
        }
    }

    /// The room is without that person; gone, if nobody else is there.
    fn take_out(&mut self, user: Uuid, room: &Room) {
        if let Some(users) = self.rooms.get_mut(room) {
            users.remove(&user);
            if users.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// How many entities and kinds a person listens to.
    pub fn subscriptions(&self, user: Uuid) -> usize {
        let subscribed = |room: &&Room| matches!(room, Room::Kind(_) | Room::Entity(_));
        self.joined.get(&user).into_iter().flatten().filter(subscribed).count()
    }

    /// Whether anybody is in a room.
    pub fn is_open(&self, room: &Room) -> bool {
        self.rooms.contains_key(room)
    }

    /// The sockets of everybody in any of the rooms but `exclude`, each once.
    pub fn sockets(&self, rooms: &BTreeSet<Room>, exclude: Option<Uuid>) -> Vec<ConnId> {
        let mut users: Vec<Uuid> =
            rooms.iter().filter_map(|room| self.rooms.get(room)).flatten().copied().collect();
        users.sort_unstable();
        users.dedup();
        let others = users.into_iter().filter(|user| Some(*user) != exclude);
        others.filter_map(|user| self.clients.get(&user)).flatten().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: Uuid = Uuid::from_u128(1);
    const BEN: Uuid = Uuid::from_u128(2);

    fn conns(rooms: &Rooms, room: Room, exclude: Option<Uuid>) -> Vec<u64> {
        rooms.sockets(&BTreeSet::from([room]), exclude).into_iter().map(|conn| conn.0).collect()
    }

    #[test]
    fn everybody_in_a_room_hears_on_each_of_their_sockets_but_who_is_excluded() {
        let mut rooms = Rooms::default();
        for (user, conn) in [(ANA, 1), (BEN, 2), (ANA, 3)] {
            rooms.connect(user, ConnId(conn));
            rooms.join(user, Room::AllStaff);
        }
        assert_eq!(conns(&rooms, Room::AllStaff, None), [1, 3, 2]);
        assert_eq!(conns(&rooms, Room::AllStaff, Some(ANA)), [2]);
        assert_eq!(conns(&rooms, Room::Kind(EntityKind::Task), None), [0; 0]);
    }

    #[test]
    fn a_socket_in_two_matching_rooms_hears_once() {
        let mut rooms = Rooms::default();
        rooms.connect(ANA, ConnId(1));
        rooms.join(ANA, Room::AllStaff);
        rooms.join(ANA, Room::User(ANA));
        let both = BTreeSet::from([Room::AllStaff, Room::User(ANA)]);
        assert_eq!(rooms.sockets(&both, None), [ConnId(1)]);
    }

    #[test]
    fn with_the_last_socket_all_rooms_are_left_and_the_empty_ones_are_gone() {
        let mut rooms = Rooms::default();
        rooms.connect(ANA, ConnId(1));
        rooms.connect(ANA, ConnId(2));
        rooms.join(ANA, Room::AllStaff);
        rooms.join(ANA, Room::Kind(EntityKind::Suite));
        rooms.disconnect(ANA, ConnId(1));
        assert!(rooms.is_open(&Room::AllStaff));
        assert_eq!(rooms.subscriptions(ANA), 1);
        rooms.disconnect(ANA, ConnId(2));
        assert!(rooms.rooms.is_empty() && rooms.clients.is_empty() && rooms.joined.is_empty());
    }

    #[test]
    fn subscriptions_are_counted_once_each_and_default_rooms_are_none() {
        let mut rooms = Rooms::default();
        for user in [ANA, BEN] {
            rooms.join(user, Room::User(user));
            rooms.join(user, Room::Kind(EntityKind::Task));
            rooms.join(user, Room::Kind(EntityKind::Task));
            rooms.join(user, Room::Kind(EntityKind::Suite));
        }
        rooms.leave(ANA, &Room::Kind(EntityKind::Suite));
        rooms.leave(ANA, &Room::Kind(EntityKind::Note));
        assert_eq!((rooms.subscriptions(ANA), rooms.subscriptions(BEN)), (1, 2));
    }
}
