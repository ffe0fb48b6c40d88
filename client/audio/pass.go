package audio

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stentor-audio/stentor/client/audio/ogg"
	"github.com/stentor-audio/stentor/client/audio/opus"
)

// maxHole bounds the silence that a file can ask for with a few bytes.
const maxHole = 24 * time.Hour

// pass yields the packets of an Ogg Opus file as they are. Where the recording
// has a hole it yields as many empty packets, so that time goes on.
type pass struct {
	in      *input
	loop    bool
	file    *ogg.Reader
	meter   *opus.Decoder // nil without Options.Meter, or without cgo
	pcm     []float32
	begun   bool
	start   int64      // position of the first packet
	slot    int64      // of 20 ms since start that comes next
	waiting ogg.Packet // behind a hole, with Data
}

func newPass(in *input, file *ogg.Reader, o Options) *pass {
	p := &pass{in: in, loop: o.Loop, file: file}
	if o.Meter {
		if d, err := opus.NewDecoder(file.Head().Channels); err == nil {
			p.meter, p.pcm = d, make([]float32, opus.FrameSamples*file.Head().Channels)
		}
	}
	return p
}

func (p *pass) next() ([]byte, float32, error) {
	if p.waiting.Data == nil {
		packet, err := p.read()
		if err != nil {
			return nil, 0, err
		}
		p.waiting = packet
	}
	now, slot := p.slot, p.slotOf(p.waiting)
	if err := checkHole((slot - now) * opus.FrameSamples); err != nil {
		return nil, 0, err
	}
	p.slot++
	if slot > now {
		return nil, 0, nil
	}
	packet := p.waiting.Data
	p.waiting = ogg.Packet{}
	return packet, p.level(packet), nil
}

// read returns the next packet of the file, or the first again.
func (p *pass) read() (ogg.Packet, error) {
	packet, err := p.file.Next()
	if errors.Is(err, io.EOF) && p.loop && p.begun {
		var r io.Reader
		if r, err = p.in.open(); err != nil {
			return ogg.Packet{}, err
		}
		if p.file, err = ogg.NewReader(r); err != nil {
			return ogg.Packet{}, err
		}
		p.begun = false
		packet, err = p.file.Next()
	}
	if err != nil {
		return ogg.Packet{}, err
	}
	if !p.begun {
		p.begun, p.start, p.slot = true, packet.Position, 0
	}
	return packet, p.check(packet)
}

// check is for pipes, where nobody could look at all packets beforehand.
func (p *pass) check(packet ogg.Packet) error {
	if packet.Samples != opus.FrameSamples {
		return fmt.Errorf("%w: a packet of %v in a pipe; save it to a file first, then it can be encoded anew",
			ErrUnsupported, time.Duration(packet.Samples)*time.Second/ogg.Rate)
	}
	if len(packet.Data) > opus.MaxPacket {
		return fmt.Errorf("%w: a packet of %d bytes in a pipe, %d at most; save it to a file first, then it can be encoded anew",
			ErrUnsupported, len(packet.Data), opus.MaxPacket)
	}
	return nil
}

// slotOf is the number of the 20 ms, since the start, that a packet is for.
func (p *pass) slotOf(packet ogg.Packet) int64 {
	return (packet.Position - p.start + opus.FrameSamples/2) / opus.FrameSamples
}

// checkHole refuses to wait for longer than any recording is silent.
func checkHole(samples int64) error {
	if samples > int64(maxHole/time.Second)*ogg.Rate {
		return fmt.Errorf("%w: its time jumps by %d hours", ogg.ErrCorrupt, samples/ogg.Rate/3600)
	}
	return nil
}

func (p *pass) level(packet []byte) float32 {
	if p.meter == nil {
		return 0
	}
	n, err := p.meter.Decode(packet, p.pcm)
	if err != nil {
		return 0 // a meter is no reason to stop
	}
	return level(p.pcm[:n*p.meter.Channels()])
}
