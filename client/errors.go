package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/webtransport-go"

	"github.com/stentor-audio/stentor/protocol"
	"github.com/stentor-audio/stentor/protocol/session"
)

// The kinds of failure a program tells apart. Every error of [Dial], and the one
// a [Speaker] or [Listener] ends with, is one of them to errors.Is, or the end
// of its context.
var (
	// ErrAddress says that a relay's URL or a name makes no sense. Trying again
	// does not help.
	ErrAddress = errors.New("bad address")

	// ErrUnreachable says that nobody answers there, or that the relay takes
	// nobody right now. Trying again may help.
	ErrUnreachable = errors.New("not reachable")

	// ErrBusy is the kind of ErrUnreachable that passes: the relay is there, and
	// full, leaving, or has too many coming in at this moment. A [Listener] and a
	// [Speaker] wait for their turn.
	ErrBusy = fmt.Errorf("%w now", ErrUnreachable)

	// ErrNotAllowed says that the relay wants a token, or a better one.
	ErrNotAllowed = errors.New("not allowed")

	// ErrCertificate says that the relay's certificate is not one to trust:
	// unknown, not the pinned one, or out of its time.
	ErrCertificate = errors.New("certificate not trusted")

	// ErrProtocol says that who answered does not speak as a relay does.
	ErrProtocol = errors.New("not a relay")

	// ErrNameTaken says that somebody else is live in the room under the same
	// name.
	ErrNameTaken = errors.New("name taken")

	// ErrEnded is returned by the methods of a Speaker or Listener that has
	// ended.
	ErrEnded = errors.New("ended")
)

// A RelayError is what went wrong with one relay. Its Kind is one of this
// package's sentinels, which errors.Is finds as well.
type RelayError struct {
	Relay string // its URL without credentials
	Kind  error  // what sort of failure
	Hint  string // what to do about it
	Err   error  // the cause; may be nil
}

func (e *RelayError) Error() string {
	text := fmt.Sprintf("%s: %v", e.Relay, e.Kind)
	if e.Err != nil {
		text += fmt.Sprintf(": %v", e.Err)
	}
	if e.Hint != "" {
		text += " (" + e.Hint + ")"
	}
	return text
}

// Unwrap returns the kind and the cause.
func (e *RelayError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// final reports whether no other attempt at the same relay can end better.
func final(err error) bool {
	return errors.Is(err, ErrAddress) || errors.Is(err, ErrNotAllowed) ||
		errors.Is(err, ErrNameTaken) || errors.Is(err, ErrCertificate)
}

// A failure is a kind of error and what to do about it.
type failure struct {
	kind error
	hint string
}

var (
	badAddress  = failure{ErrAddress, "use https://host:port, moqt://host:port or, for development, http://host:port"}
	unreachable = failure{ErrUnreachable, "check host and port, that the relay runs, and that UDP is not blocked on the way"}
	busy        = failure{ErrBusy, "the relay is full or leaving: try another one, or again later"}
	notAllowed  = failure{ErrNotAllowed, "pass a token that covers this room and what you want to do in it"}
	untrusted   = failure{ErrCertificate, "pin the relay's certificate hash, which it shows at /certificate.sha256"}
	noRelay     = failure{ErrProtocol, "the port may belong to another service, or the relay may be of another version"}
	nameTaken   = failure{ErrNameTaken, "choose another name"}
)

func (f failure) of(relay string, err error) error {
	return &RelayError{Relay: relay, Kind: f.kind, Hint: f.hint, Err: quieter(err)}
}

// explain turns what ended an attempt or a session into a RelayError. The end of
// ctx stays what it is.
func explain(ctx context.Context, relay string, err error) error {
	var known *RelayError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return classify(err).of(relay, err)
}

// classify tells the kind of a failure.
func classify(err error) failure {
	var closed *session.ClosedError
	var status *statusError
	var transport *quic.TransportError
	var requirement *webtransport.RequirementsNotMetError
	switch {
	case errors.As(err, &closed) && closed.Remote:
		return classifyClose(closed.Code)
	case errors.As(err, &status):
		return classifyStatus(status.code)
	case isCertificateError(err):
		return untrusted
	case errors.As(err, &transport) && transport.ErrorCode == quic.ConnectionRefused:
		return busy
	case errors.As(err, &transport) && transport.ErrorCode.IsCryptoError(),
		errors.As(err, &requirement),
		errors.Is(err, errSetupTimeout),
		errors.Is(err, errNoSubprotocol),
		errors.Is(err, errNoHash),
		errors.Is(err, protocol.ErrMalformed):
		return noRelay
	default:
		return unreachable
	}
}

func classifyClose(code protocol.ResetCode) failure {
	switch code {
	case protocol.CodeUnauthorized, protocol.CodeRoleViolated:
		return notAllowed
	case protocol.CodeDuplicate:
		return nameTaken
	case protocol.CodeDecode, protocol.CodeProtocol, protocol.CodeVersion, protocol.CodeUnexpectedMessage:
		return noRelay
	default:
		return busy
	}
}

func classifyStatus(code int) failure {
	switch {
	case code == 401 || code == 403:
		return notAllowed
	case code == 408 || code == 429 || code >= 500:
		return busy
	default:
		return noRelay
	}
}

func isCertificateError(err error) bool {
	var pin *pinError
	var verify *tls.CertificateVerificationError
	return errors.As(err, &pin) || errors.As(err, &verify)
}

// alertNoProtocol is TLS's no_application_protocol as a QUIC error (RFC 9001
// §4.8): the other end speaks none of the protocols that were offered.
const alertNoProtocol = quic.TransportErrorCode(0x100 + 120)

func isALPNError(err error) bool {
	var transport *quic.TransportError
	return errors.As(err, &transport) && transport.ErrorCode == alertNoProtocol
}

// A statusError is a CONNECT that was answered with something other than 200.
type statusError struct{ code int }

func (e *statusError) Error() string { return fmt.Sprintf("HTTP status %d", e.code) }

var (
	errSetupTimeout  = errors.New("it accepted the connection but sent no SETUP")
	errDialTimeout   = errors.New("no answer")
	errNoHash        = errors.New("no certificate hash")
	errNoSubprotocol = errors.New("it does not offer " + protocol.Lite05.ALPN())
)

// quieter replaces errors whose text says nothing to a person.
func quieter(err error) error {
	var dns *net.DNSError
	var idle *quic.IdleTimeoutError
	var handshake *quic.HandshakeTimeoutError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("no such host %q", dns.Name)
	case errors.As(err, &idle), errors.As(err, &handshake), errors.Is(err, context.DeadlineExceeded):
		return errDialTimeout
	}
	return err
}
