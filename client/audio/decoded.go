package audio

import (
	"math"

	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/audio/opus"
)

// decoded are the samples of an Ogg Opus file as a player plays them: without
// the pre-skip and what is trimmed at the end, with the gain, and with silence
// in the holes.
type decoded struct {
	file    *ogg.Reader
	decoder *opus.Decoder
	gain    float32
	skip    int       // samples of each channel still to be dropped
	end     int64     // position after the last packet, -1 before the first
	silence int64     // samples of each channel that come before ready
	pcm     []float32 // of the last packet
	ready   []float32 // not read yet
}

func newDecoded(file *ogg.Reader) (*decoded, error) {
	head := file.Head()
	decoder, err := opus.NewDecoder(head.Channels)
	if err != nil {
		return nil, err
	}
	return &decoded{
		file:    file,
		decoder: decoder,
		gain:    float32(math.Pow(10, float64(head.Gain)/(20*256))),
		skip:    head.PreSkip,
		end:     -1,
		pcm:     make([]float32, 6*opus.FrameSamples*head.Channels),
	}, nil
}

// Read implements [Samples].
func (d *decoded) Read(dst []float32) (int, error) {
	channels := d.decoder.Channels()
	for d.silence == 0 && len(d.ready) == 0 {
		if err := d.decode(); err != nil {
			return 0, err
		}
	}
	if d.silence > 0 {
		n := min(d.silence, int64(len(dst)/channels))
		d.silence -= n
		clear(dst[:n*int64(channels)])
		return int(n) * channels, nil
	}
	n := copy(dst[:len(dst)-len(dst)%channels], d.ready)
	d.ready = d.ready[n:]
	return n, nil
}

// decode takes the next packet of the file.
func (d *decoded) decode() error {
	p, err := d.file.Next()
	if err != nil {
		return err
	}
	n, err := d.decoder.Decode(p.Data, d.pcm)
	if err != nil {
		return err
	}
	if d.end >= 0 {
		d.silence = p.Position - d.end
		if err := checkHole(d.silence); err != nil {
			return err
		}
	}
	d.end = p.Position + int64(n)
	n -= p.Trim
	skip := min(d.skip, n)
	d.skip -= skip
	channels := d.decoder.Channels()
	d.ready = d.pcm[skip*channels : n*channels]
	if d.gain != 1 {
		for i := range d.ready {
			d.ready[i] *= d.gain
		}
	}
	return nil
}
