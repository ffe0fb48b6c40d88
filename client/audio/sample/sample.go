// Package sample holds half a minute of speech, so that there is something to
// listen to at once: a herald introduces himself. Nobody spoke it, the voice is
// synthetic and was made with espeak-ng; scripts/make-sample-voice.sh shows how.
package sample

import _ "embed"

// Voice is an Ogg Opus file: mono, packets of 20 ms, about 32 kbit/s. Nobody may
// write to it.
//
//	src, err := audio.New(bytes.NewReader(sample.Voice), audio.Options{Loop: true})
//
//go:embed voice.opus
var Voice []byte
