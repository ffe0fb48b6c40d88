//go:build cgo

package opus

import (
	"errors"
	"fmt"

	libopus "gopkg.in/hraban/opus.v2"
)

// A Decoder turns the packets of one speaker, in their order, into sound. What
// the packets are does not matter: mono and stereo become what the decoder has.
// Not for concurrent use.
type Decoder struct {
	lib      *libopus.Decoder
	channels int
}

// NewDecoder returns a decoder to 1 or 2 channels.
func NewDecoder(channels int) (*Decoder, error) {
	if channels < 1 || channels > 2 {
		return nil, fmt.Errorf("opus: %d channels, 1 or 2 wanted", channels)
	}
	lib, err := libopus.NewDecoder(Rate, channels)
	if err != nil {
		return nil, fmt.Errorf("opus decoder: %w", err)
	}
	return &Decoder{lib: lib, channels: channels}, nil
}

// Channels is how many channels the PCM has.
func (d *Decoder) Channels() int { return d.channels }

// Decode decodes one packet into pcm and returns how many samples it made of
// each channel. pcm must have room for all of them: 120 ms for any packet. It
// returns [ErrPacket] for what is not a packet, an empty one included.
func (d *Decoder) Decode(packet []byte, pcm []float32) (int, error) {
	if len(packet) == 0 {
		return 0, fmt.Errorf("%w: it is empty", ErrPacket)
	}
	if len(pcm) < d.channels {
		return 0, ErrFrameSize
	}
	n, err := d.lib.DecodeFloat32(packet, d.fit(pcm))
	return n, explain(err)
}

// Conceal fills pcm, whose length must be a multiple of 2.5 ms, with what might
// have come next.
func (d *Decoder) Conceal(pcm []float32) error {
	if err := d.checkLength(pcm); err != nil {
		return err
	}
	return explain(d.lib.DecodePLCFloat32(d.fit(pcm)))
}

// DecodeFEC fills pcm, whose length must be that of the packet before, which was
// lost, with what next tells about it, or conceals it if next tells nothing. next
// must be decoded afterwards as usual.
func (d *Decoder) DecodeFEC(next []byte, pcm []float32) error {
	if len(next) == 0 {
		return fmt.Errorf("%w: it is empty", ErrPacket)
	}
	if err := d.checkLength(pcm); err != nil {
		return err
	}
	return explain(d.lib.DecodeFECFloat32(next, d.fit(pcm)))
}

func (d *Decoder) checkLength(pcm []float32) error {
	const step = Rate / 400 // 2.5 ms
	if len(pcm) == 0 || len(pcm)%(step*d.channels) != 0 {
		return fmt.Errorf("%w, nor a multiple of 2.5 ms: %d samples", ErrFrameSize, len(pcm))
	}
	return nil
}

// fit makes the capacity, which is what the library goes by, that of whole
// frames within the length.
func (d *Decoder) fit(pcm []float32) []float32 {
	n := len(pcm) - len(pcm)%d.channels
	return pcm[:n:n]
}

func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, libopus.ErrInvalidPacket):
		return ErrPacket
	case errors.Is(err, libopus.ErrBufferTooSmall):
		return fmt.Errorf("%w: the packet holds more", ErrFrameSize)
	}
	return fmt.Errorf("opus decoder: %w", err)
}
