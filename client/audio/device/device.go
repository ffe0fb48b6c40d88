// Package device is the microphone and the loudspeaker: sound at 48 kHz to and
// from the sound card, through miniaudio, which finds the system's sound service
// (PulseAudio, PipeWire or ALSA on Linux) when the program runs.
//
// The card has a thread of its own, which never waits for the program: what the
// program does not fetch or bring in time is counted and left out. The package
// resamples, mixes and encodes nothing.
//
// Without cgo the package builds, too, and opening a device returns [ErrNoCgo].
package device

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Rate is the sample rate in Hz, whatever the card itself has.
const Rate = 48000

var (
	// ErrNone says that the system has no such device, or no sound at all.
	ErrNone = errors.New("none found")

	// ErrGone says that a device disappeared while it was open.
	ErrGone = errors.New("the device is gone")

	// ErrClosed is for devices that were closed.
	ErrClosed = errors.New("closed")

	// ErrNoCgo is returned by programs that were built without cgo.
	ErrNoCgo = errors.New("this program was built without sound: build it with CGO_ENABLED=1 and a C compiler")
)

// Config tunes a device. The zero value is a working one.
type Config struct {
	// Channels is 1 or 2. Zero means 1. The card may have others.
	Channels int

	// Buffer is how much sound is held between the card and the program, at
	// least 20 ms. More of it forgives a program that stalls and delays what is
	// heard. Zero means 100 ms for a microphone, whose buffer is mostly empty,
	// and 60 ms for a loudspeaker, whose buffer is mostly full.
	Buffer time.Duration

	backends []uint32 // of miniaudio, for tests; nil is those of the system
}

func (c Config) withDefaults(buffer time.Duration) (Config, error) {
	c.Channels = cmp.Or(c.Channels, 1)
	c.Buffer = cmp.Or(c.Buffer, buffer)
	if c.Channels < 1 || c.Channels > 2 {
		return c, fmt.Errorf("%d channels, 1 or 2 wanted", c.Channels)
	}
	if c.Buffer < 20*time.Millisecond || c.Buffer > 10*time.Second {
		return c, fmt.Errorf("a buffer of %v, 20 ms to 10 s wanted", c.Buffer)
	}
	return c, nil
}

// samples is the size of the buffer, of all channels together.
func (c Config) samples() int {
	return int(c.Buffer*Rate/time.Second) * c.Channels
}
