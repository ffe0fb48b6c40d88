package client

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// A Transport is how moq-lite reaches a relay.
type Transport uint8

const (
	// Auto tries native QUIC and, if that is refused or unanswered for a second,
	// WebTransport beside it.
	Auto Transport = iota
	// QUIC is native QUIC: the lighter of the two.
	QUIC
	// WebTransport is what browsers use; it passes where only HTTP/3 does.
	WebTransport
)

// Options say how to reach a relay. The zero value works with relays whose
// certificate the system trusts, and with any relay on this machine.
type Options struct {
	// Transport zero is Auto. A moqt:// URL means QUIC in any case.
	Transport Transport

	// Token is a JWT that goes to the relay as the query parameter jwt. Empty
	// leaves what the URL itself has.
	Token string

	// CertificateHashes pin the relay: its certificate must have one of these
	// SHA-256 hashes and be within its time; no authority is asked. Without any,
	// a relay on a loopback address is trusted as it is, and every other must
	// have a certificate that TLS verifies.
	CertificateHashes []Hash

	// TLS is the base of the TLS configuration, for own authorities or client
	// certificates. Nil means the system's roots.
	TLS *tls.Config

	// Timeout bounds one attempt: name, handshake and the relay's SETUP. Zero
	// means 5 s.
	Timeout time.Duration

	// Role narrows what the session is for, so that a token that does not allow
	// it is refused at once. Zero is both directions.
	Role protocol.Role

	// HopID names this program in the routes of announcements; see
	// [NewHopID]. Zero means a new one for each session.
	HopID uint64

	// NoDatagrams declares that this end reads no datagrams: the relay then sends
	// each packet as a stream of its own, which arrives however late. Players
	// want datagrams; recorders that must have every packet may not.
	NoDatagrams bool

	// Publisher answers what the relay asks for. Nil publishes nothing.
	Publisher session.Publisher

	// OnGoaway is called when the relay asks to leave for another one, whose URL
	// may be empty. It must not block. Nil ignores it.
	OnGoaway func(url string)

	// DialQUIC replaces how a QUIC connection is made, for shared sockets and
	// simulated networks. Nil gives each connection a UDP socket of its own.
	DialQUIC func(ctx context.Context, address string, tls *tls.Config, config *quic.Config) (*quic.Conn, error)

	// DialTCP replaces how the lobby of a relay is reached, which a Listener or
	// Speaker asks when it knows of no relay to go to. Nil is as [net.Dialer].
	DialTCP func(ctx context.Context, network, address string) (net.Conn, error)

	// IdleTimeout is when a session over which nothing comes has ended, and
	// KeepAlive how often an idle one is probed. Zero means 30 s and 5 s; for a
	// Listener or Speaker, which have another relay to go to, 6 s and 2 s.
	IdleTimeout, KeepAlive time.Duration

	// Logger receives what an operator should see. Nil discards it.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, idleTimeout)
	o.KeepAlive = cmp.Or(o.KeepAlive, keepAlive)
	if o.HopID == 0 {
		o.HopID = NewHopID()
	}
	if o.DialQUIC == nil {
		o.DialQUIC = dialUDP
	}
	if o.DialTCP == nil {
		o.DialTCP = new(net.Dialer).DialContext
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// NewHopID draws an id that names a program in the routes of announcements:
// random, not zero, below 2^53 so that every implementation can hold it. A
// speaker's broadcasts are recognised by it wherever they come from.
func NewHopID() uint64 { return 1 + rand.Uint64N(protocol.MaxInteger) }

// A Hash is the SHA-256 of a certificate in DER.
type Hash [sha256.Size]byte

// ParseHash reads a hash as /certificate.sha256 shows it: 64 hexadecimal digits.
// Colons between them, as other tools print them, are skipped.
func ParseHash(s string) (Hash, error) {
	var h Hash
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(s), ":", ""))
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("%w: a certificate hash has 64 hexadecimal digits, not %q", ErrAddress, s)
	}
	copy(h[:], b)
	return h, nil
}

// String is the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Limits of a client's QUIC connections. They are set on purpose, not left to
// defaults, because both ends act on the smaller.
const (
	// idleTimeout is when a silent relay counts as gone. Shorter, and a Wi-Fi
	// that roams for some seconds loses its session.
	idleTimeout = 30 * time.Second

	// keepAlive is below the shortest lifetimes of UDP mappings in NATs, which
	// are known to be 10 to 30 s.
	keepAlive = 5 * time.Second

	// A standby carries nothing, so only the transport can tell that it is dead:
	// after three probes without an answer. That costs a phone nothing, because
	// the audio beside it wakes the radio every 20 to 200 ms anyway, and a relay
	// half a packet a second for each standby. What a Wi-Fi that is away for
	// longer loses, a new handshake brings back.
	roamingIdleTimeout = 6 * time.Second
	roamingKeepAlive   = 2 * time.Second

	// streams is how many streams the relay may have open towards us, each way:
	// a track without datagrams is 50 group streams a second, and a stream lives
	// until its last byte is acknowledged and read.
	streams = 1024

	// Windows: a packet of audio has some hundred bytes and a catalog one or two
	// thousand. Nothing here needs the 15 MB that the library would allow.
	streamWindow        = 64 << 10
	maxStreamWindow     = 512 << 10
	connectionWindow    = 256 << 10
	maxConnectionWindow = 2 << 20
)

// roaming is o for sessions that are not alone.
func (o Options) roaming(role protocol.Role) Options {
	o.Role = role
	o.IdleTimeout = cmp.Or(o.IdleTimeout, roamingIdleTimeout)
	o.KeepAlive = cmp.Or(o.KeepAlive, roamingKeepAlive)
	return o
}

func quicConfig(o Options) *quic.Config {
	return &quic.Config{
		HandshakeIdleTimeout:             o.Timeout,
		MaxIdleTimeout:                   o.IdleTimeout,
		KeepAlivePeriod:                  o.KeepAlive,
		EnableDatagrams:                  true,
		EnableStreamResetPartialDelivery: true,
		MaxIncomingStreams:               streams,
		MaxIncomingUniStreams:            streams + 8, // HTTP/3 has some of its own
		InitialStreamReceiveWindow:       streamWindow,
		MaxStreamReceiveWindow:           maxStreamWindow,
		InitialConnectionReceiveWindow:   connectionWindow,
		MaxConnectionReceiveWindow:       maxConnectionWindow,
		// A datagram of 1200 bytes passes every path there is, and searching for
		// more costs packets in every session.
		DisablePathMTUDiscovery: true,
	}
}
