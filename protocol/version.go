package protocol

// A Version is a dialect of the protocol. A session speaks one from its first
// byte to its last; which one is agreed before that (docs/wire.md, section 2).
type Version uint8

// The versions that this package speaks.
const (
	Lite05 Version = 5
	Lite04 Version = 4 // receive from old publishers only; docs/wire.md, section 16
)

// ALPN returns the token that names v, in TLS on native QUIC and as WebTransport
// subprotocol. A Version that does not exist has none.
func (v Version) ALPN() string {
	switch v {
	case Lite05:
		return "moq-lite-05"
	case Lite04:
		return "moq-lite-04"
	}
	return ""
}

// ParseVersion returns the version that an ALPN token or a WebTransport
// subprotocol names.
func ParseVersion(alpn string) (Version, bool) {
	for _, v := range []Version{Lite05, Lite04} {
		if alpn == v.ALPN() {
			return v, true
		}
	}
	return 0, false
}
