package protocol

import "strconv"

// A ResetCode says why a stream was reset or stopped, or a session closed
// (docs/wire.md, section 13). Peers mostly send 0 and act on the fact alone.
type ResetCode uint64

// The codes that Stentor sends or acts on.
const (
	CodeCancel            ResetCode = 0 // no longer wanted; also when no reason is given
	CodeTooOld            ResetCode = 2 // the group is older than anybody wants it
	CodeTimeout           ResetCode = 3
	CodeTransport         ResetCode = 4
	CodeDecode            ResetCode = 5 // malformed bytes
	CodeUnauthorized      ResetCode = 6
	CodeVersion           ResetCode = 9
	CodeUnexpectedStream  ResetCode = 10
	CodeBounds            ResetCode = 11 // a limit was exceeded
	CodeDuplicate         ResetCode = 12 // the group is here already
	CodeNotFound          ResetCode = 13 // no such broadcast, track or group
	CodeProtocol          ResetCode = 15
	CodeUnexpectedMessage ResetCode = 16
	CodeUnsupported       ResetCode = 17 // for example a stream type that is not known
	CodeRoleViolated      ResetCode = 20 // the client said it would not do this
	CodeDropped           ResetCode = 24 // the source went away without finishing
	CodeClosed            ResetCode = 25
	CodeLagged            ResetCode = 26 // the reader was too slow
	CodeFrameTooLarge     ResetCode = 27
	CodeUnroutable        ResetCode = 30 // nobody announces the broadcast
	CodeEvicted           ResetCode = 31 // the group left the cache
)

var codeNames = map[ResetCode]string{
	CodeCancel:            "cancel",
	CodeTooOld:            "too old",
	CodeTimeout:           "timeout",
	CodeTransport:         "transport",
	CodeDecode:            "decode error",
	CodeUnauthorized:      "unauthorized",
	CodeVersion:           "version",
	CodeUnexpectedStream:  "unexpected stream",
	CodeBounds:            "bounds exceeded",
	CodeDuplicate:         "duplicate",
	CodeNotFound:          "not found",
	CodeProtocol:          "protocol violation",
	CodeUnexpectedMessage: "unexpected message",
	CodeUnsupported:       "unsupported",
	CodeRoleViolated:      "role violated",
	CodeDropped:           "dropped",
	CodeClosed:            "closed",
	CodeLagged:            "lagged",
	CodeFrameTooLarge:     "frame too large",
	CodeUnroutable:        "unroutable",
	CodeEvicted:           "evicted",
}

// String names c, or gives its number.
func (c ResetCode) String() string {
	if name, ok := codeNames[c]; ok {
		return name
	}
	return "code " + strconv.FormatUint(uint64(c), 10)
}

// The range of HTTP/3 error codes that WebTransport's 32-bit codes live in
// (draft-ietf-webtrans-http3 §4.6). Every 31st is reserved and skipped.
const (
	firstQUICCode = 0x52e4a40fa8db
	lastQUICCode  = 0x52e5ac983162
)

// QUIC returns the code that stands for c in a RESET_STREAM or STOP_SENDING
// frame of native QUIC, where moq-lite maps codes as WebTransport does. A
// WebTransport library maps by itself. Codes have at most 32 bits.
func (c ResetCode) QUIC() uint64 {
	n := min(uint64(c), 1<<32-1)
	return firstQUICCode + n + n/30
}

// ResetCodeFromQUIC is the inverse of [ResetCode.QUIC]. It reports false for a
// number that stands for no code.
func ResetCodeFromQUIC(x uint64) (ResetCode, bool) {
	if x < firstQUICCode || x > lastQUICCode {
		return 0, false
	}
	n := x - firstQUICCode
	if n%31 == 30 {
		return 0, false
	}
	return ResetCode(n - n/31), true
}
