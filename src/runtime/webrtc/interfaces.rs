//! The addresses to bind when the program names none.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Addresses bound at most. Machines full of containers have dozens, and each costs a socket,
/// a candidate, and checks with every candidate of the peer.
const MAX_ADDRESSES: usize = 12;

/// Every usable unicast address of this machine, and loopback: two programs on one machine must
/// meet without any network.
pub(super) fn default_bind_addresses() -> Vec<SocketAddr> {
    // Without a list loopback still works.
    let interfaces = rtc::shared::ifaces::ifaces().unwrap_or_default();
    choose(interfaces.into_iter().filter_map(|found| found.addr))
}

fn choose(found: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut chosen = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    for ip in found.map(|address| address.ip()) {
        if chosen.len() < MAX_ADDRESSES && is_usable(ip) && !chosen.contains(&ip) {
            chosen.push(ip);
        }
    }
    chosen
        .into_iter()
        .map(|ip| SocketAddr::new(ip, 0))
        .collect()
}

fn is_usable(ip: IpAddr) -> bool {
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast(),
        // A link-local address means nothing without its interface, which candidates cannot name.
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !link_local && !ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_a_peer_can_use_are_bound_and_loopback() {
        let found = [
            "127.0.0.1:0",
            "192.168.1.5:0",
            "192.168.1.5:0",
            "169.254.3.3:0",
            "[fe80::1]:0",
            "[2001:db8::1]:0",
            "0.0.0.0:0",
            "[::1]:0",
        ];
        let chosen = choose(found.iter().map(|text| text.parse().unwrap()));
        let texts: Vec<_> = chosen.iter().map(SocketAddr::to_string).collect();
        assert_eq!(texts, ["127.0.0.1:0", "192.168.1.5:0", "[2001:db8::1]:0"]);
        let many = (0..100u8).map(|i| SocketAddr::from(([10, 0, 0, i], 0)));
        assert_eq!(choose(many).len(), MAX_ADDRESSES);
    }
}
