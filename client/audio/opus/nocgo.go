//go:build !cgo

package opus

// An Encoder cannot be made without cgo.
type Encoder struct{}

// NewEncoder returns [ErrNoCgo].
func NewEncoder(EncoderConfig) (*Encoder, error) { return nil, ErrNoCgo }

// Channels is never called.
func (*Encoder) Channels() int { return 0 }

// Bitrate is never called.
func (*Encoder) Bitrate() int { return 0 }

// Lookahead is never called.
func (*Encoder) Lookahead() int { return 0 }

// Encode returns [ErrNoCgo].
func (*Encoder) Encode([]byte, []float32) ([]byte, error) { return nil, ErrNoCgo }

// A Decoder cannot be made without cgo.
type Decoder struct{}

// NewDecoder returns [ErrNoCgo].
func NewDecoder(int) (*Decoder, error) { return nil, ErrNoCgo }

// Channels is never called.
func (*Decoder) Channels() int { return 0 }

// Decode returns [ErrNoCgo].
func (*Decoder) Decode([]byte, []float32) (int, error) { return 0, ErrNoCgo }

// Conceal returns [ErrNoCgo].
func (*Decoder) Conceal([]float32) error { return ErrNoCgo }

// DecodeFEC returns [ErrNoCgo].
func (*Decoder) DecodeFEC([]byte, []float32) error { return ErrNoCgo }
