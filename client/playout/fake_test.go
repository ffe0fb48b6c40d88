package playout

import (
	"errors"
	"math"
)

// A toneDecoder makes each packet (packetOf) its 20 ms of one endless tone, so
// that whatever is missing, doubled or out of place breaks the tone. What it
// conceals, it gets right: the tone goes on.
type toneDecoder struct {
	hertz    float64
	height   float64
	channels int
	next     uint64 // the frame after the last one
	guessed  int
	fec      int
}

var errGarbage = errors.New("not a packet")

func (d *toneDecoder) Decode(packet []byte, pcm []float32) (int, error) {
	if len(packet) != 9 {
		return 0, errGarbage
	}
	d.next = sequenceOf(packet)
	d.tone(pcm)
	return FrameSamples, nil
}

func (d *toneDecoder) Conceal(pcm []float32) error {
	d.guessed++
	d.tone(pcm)
	return nil
}

func (d *toneDecoder) DecodeFEC(next []byte, pcm []float32) error {
	d.fec++
	d.next = sequenceOf(next) - 1
	d.tone(pcm)
	return nil
}

func (d *toneDecoder) tone(pcm []float32) {
	step := 2 * math.Pi * d.hertz / SampleRate
	phase := math.Mod(float64(d.next)*FrameSamples*step, 2*math.Pi)
	d.next++
	for i := range FrameSamples {
		v := float32(d.height * math.Sin(phase+float64(i)*step))
		for ch := range d.channels {
			pcm[i*d.channels+ch] = v
		}
	}
}
