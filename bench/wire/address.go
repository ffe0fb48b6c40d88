package wire

import "net/netip"

// network is the addresses of a namespace: every network has the same ones, for
// nothing outside of it can see them. 198.18.0.0/15 is set aside for benchmarks
// (RFC 2544 §C.2.2).
var network = [3]byte{198, 18, 0}

// maxHosts is how many addresses there are.
const maxHosts = 254

// address is that of a host, which counts from 1.
func address(host byte) netip.Addr {
	return netip.AddrFrom4([4]byte{network[0], network[1], network[2], host})
}

// destination is the host that an IPv4 packet goes to (RFC 791 §3.1), if it goes
// to one of the network.
func destination(b []byte) (host byte, ok bool) {
	const header = 20
	if len(b) < header || b[0]>>4 != 4 || [3]byte(b[16:19]) != network || b[19] == 0 || b[19] == 255 {
		return 0, false
	}
	return b[19], true
}
