//go:build cgo

package opus

import (
	"fmt"

	libopus "gopkg.in/hraban/opus.v2"
)

// An Encoder makes packets of 20 ms. What it is given comes out of a decoder
// [Encoder.Lookahead] samples later. Not for concurrent use.
type Encoder struct {
	lib      *libopus.Encoder
	channels int
	bitrate  int
	buf      [MaxPacket]byte
}

// NewEncoder returns an encoder, or an error that names the field of cfg that is
// out of bounds.
func NewEncoder(cfg EncoderConfig) (*Encoder, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	application := libopus.AppVoIP
	if cfg.Application == Audio {
		application = libopus.AppAudio
	}
	lib, err := libopus.NewEncoder(Rate, cfg.Channels, application)
	if err != nil {
		return nil, fmt.Errorf("opus encoder: %w", err)
	}
	for _, err := range []error{
		lib.SetBitrate(cfg.Bitrate),
		lib.SetComplexity(cfg.Complexity),
		lib.SetInBandFEC(cfg.ExpectedLoss > 0),
		lib.SetPacketLossPerc(cfg.ExpectedLoss),
		lib.SetDTX(cfg.DTX),
	} {
		if err != nil {
			return nil, fmt.Errorf("opus encoder: %w", err)
		}
	}
	return &Encoder{lib: lib, channels: cfg.Channels, bitrate: cfg.Bitrate}, nil
}

// Channels is how many channels the PCM has.
func (e *Encoder) Channels() int { return e.channels }

// Bitrate is what the encoder aims at, in bit/s.
func (e *Encoder) Bitrate() int { return e.bitrate }

// Lookahead is how many samples of each channel the encoder lags behind: 6.5 ms
// in libopus with either application.
func (e *Encoder) Lookahead() int { return 312 }

// Encode appends to dst the packet for pcm, 20 ms of sound. It returns
// [ErrFrameSize] for any other length.
func (e *Encoder) Encode(dst []byte, pcm []float32) ([]byte, error) {
	if len(pcm) != FrameSamples*e.channels {
		return dst, fmt.Errorf("%w: %d samples, %d wanted", ErrFrameSize, len(pcm), FrameSamples*e.channels)
	}
	n, err := e.lib.EncodeFloat32(pcm, e.buf[:])
	if err != nil {
		return dst, fmt.Errorf("opus encoder: %w", err)
	}
	return append(dst, e.buf[:n]...), nil
}
