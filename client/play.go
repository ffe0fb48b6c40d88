package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

// A PacketSource yields Opus packets of 20 ms, one after the other, and how loud
// each is: 0 is silence, 1 full scale. A live source blocks until its next packet
// exists; an empty packet means that nobody speaks. It ends with io.EOF.
type PacketSource interface {
	Next() (opus []byte, level float32, err error)
}

// ErrPacket says that what should be an Opus packet of 20 ms is not, or is too
// large for a datagram.
var ErrPacket = errors.New("not an Opus packet of 20 ms")

// MaxPacket is how many bytes an Opus packet may have: what is left of a
// datagram that passes every path, after the headers of whatever relay forwards
// it. It is above 460 kbit/s.
const MaxPacket = protocol.MaxDatagram - 32

// Send publishes one Opus packet of 20 ms now; the packet is copied. The caller
// paces: in time, frames stand 20 ms apart whenever Send is called, unless the
// caller falls more than three seconds behind. An empty packet is silence.
func (s *Speaker) Send(opus []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, stands := s.pace.next(time.Now(), s.aligned())
	return s.publish(opus, stands)
}

// Play publishes what src yields, one packet every 20 ms, until it ends, which
// is no error, or ctx or the Speaker does.
func (s *Speaker) Play(ctx context.Context, src PacketSource) error {
	for {
		opus, level, err := src.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		s.level.Store(math.Float32bits(level))
		s.mu.Lock()
		goes, stands := s.pace.next(time.Now(), s.aligned())
		s.mu.Unlock()
		if err := s.until(ctx, goes); err != nil {
			return err
		}
		s.mu.Lock()
		s.report(opus, level)
		err = s.publish(opus, stands)
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// report tells relays how loud a frame is. A source that does not measure says 0 of
// every one: then relays guess.
func (s *Speaker) report(opus []byte, level float32) {
	if level == 0 && !silent(opus) {
		return
	}
	if report, due := s.meter.frame(level); due {
		s.broadcast.levels.add([]byte{byte(report)})
	}
}

// until waits for an instant, or says why there is no use in it.
func (s *Speaker) until(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.over:
		return ErrEnded
	case <-s.closing:
		return ErrEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// aligned says that the frame to come starts a bundle. The slots of a bundle
// have no timestamps of their own, so time may jump only there.
func (s *Speaker) aligned() bool { return s.broadcast.view().next%bundle == 0 }

// publish gives a frame its number and time. Timestamps are microseconds of the
// wall clock when the frame was due, so a listener on the same machine can tell
// how long it was on its way. They never step back, whatever the clock does.
func (s *Speaker) publish(opus []byte, stands time.Time) error {
	if err := checkPacket(opus); err != nil {
		return err
	}
	next := s.broadcast.view().next
	if s.o.SkipSilence && !s.gate.pass(next, silent(opus)) {
		s.silent.Add(1)
		return nil
	}
	if len(opus) == 0 {
		opus = silencePacket
	}
	stamp := uint64(max(stands.UnixMicro(), 0))
	if next > 0 {
		stamp = max(stamp, s.stamp+uint64(FrameDuration/time.Microsecond))
	}
	s.stamp = stamp
	s.broadcast.add(stamp, opus)
	return nil
}

func checkPacket(opus []byte) error {
	if len(opus) == 0 {
		return nil // silence
	}
	info, err := protocol.ParseOpus(opus)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrPacket, err)
	case info.Duration != FrameDuration:
		return fmt.Errorf("%w: it has %v", ErrPacket, info.Duration)
	case len(opus) > MaxPacket:
		return fmt.Errorf("%w: it has %d bytes, %d are allowed; lower the bitrate", ErrPacket, len(opus), MaxPacket)
	}
	return nil
}
