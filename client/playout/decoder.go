package playout

// A Decoder is one speaker's Opus decoder at 48 kHz, with as many channels as
// the PCM it is handed has interleaved. It keeps state from frame to frame and
// belongs to one speaker alone. The slices it is handed are good for the call.
type Decoder interface {
	// Decode decodes one packet into pcm, which has room for a frame, and
	// returns the samples it made in each channel.
	Decode(packet []byte, pcm []float32) (n int, err error)

	// Conceal fills pcm, a frame, with what might have come next.
	Conceal(pcm []float32) error

	// DecodeFEC fills pcm, a frame, with what the next packet says about the
	// one lost before it (RFC 6716 §2.1.7), or conceals it if that says nothing.
	DecodeFEC(next []byte, pcm []float32) error
}
