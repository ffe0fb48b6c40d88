//go:build !cgo

package device

import (
	"fmt"
	"time"
)

// A Microphone cannot be opened without cgo.
type Microphone struct{}

// OpenMicrophone returns [ErrNoCgo].
func OpenMicrophone(Config) (*Microphone, error) { return nil, fmt.Errorf("microphone: %w", ErrNoCgo) }

// Channels is never called.
func (*Microphone) Channels() int { return 0 }

// Read returns [ErrNoCgo].
func (*Microphone) Read([]float32) (int, error) { return 0, ErrNoCgo }

// Lost is never called.
func (*Microphone) Lost() time.Duration { return 0 }

// Close does nothing.
func (*Microphone) Close() error { return nil }

// A Loudspeaker cannot be opened without cgo.
type Loudspeaker struct{}

// OpenLoudspeaker returns [ErrNoCgo].
func OpenLoudspeaker(Config) (*Loudspeaker, error) {
	return nil, fmt.Errorf("loudspeaker: %w", ErrNoCgo)
}

// Channels is never called.
func (*Loudspeaker) Channels() int { return 0 }

// Write returns [ErrNoCgo].
func (*Loudspeaker) Write([]float32) error { return ErrNoCgo }

// Buffered is never called.
func (*Loudspeaker) Buffered() time.Duration { return 0 }

// Underruns is never called.
func (*Loudspeaker) Underruns() uint64 { return 0 }

// Close does nothing.
func (*Loudspeaker) Close() error { return nil }
