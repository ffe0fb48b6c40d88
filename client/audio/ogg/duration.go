package ogg

import (
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// duration says how many samples at 48 kHz an Opus packet plays (RFC 6716 §3.1).
// Every duration Opus has is a whole number of them.
func duration(packet []byte) (int, error) {
	info, err := protocol.ParseOpus(packet)
	return int(info.Duration * Rate / time.Second), err
}
