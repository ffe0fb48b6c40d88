package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stentor-audio/stentor/protocol"
)

const (
	probeEvery    = 100 * time.Millisecond // how often the statistics are looked at
	probeAtLeast  = 10 * time.Second       // a report is sent after this long in any case
	probeDeadband = 0.25                   // a smaller change is not worth a report at once
)

// serveProbe reports the path's round trip and send rate while the peer listens
// (docs/wire.md, probe). A player sizes its buffer by it.
func (s *Session) serveProbe(ctx context.Context, stream Stream, r *protocol.Reader) error {
	if s.cfg.Setup.Probe == protocol.ProbeNone && s.conn.Version() == protocol.Lite05 {
		return Refuse(protocol.CodeUnsupported, "probing was not declared")
	}
	ctx = s.watch(ctx, stream, func() error {
		_, err := r.Probe() // targets are a wish this end does not act on
		return err
	})
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	var last protocol.Probe
	var lastAt time.Time
	for {
		now := time.Now()
		report := probeReport(s.conn.Stats())
		if report != (protocol.Probe{}) && (lastAt.IsZero() || worthReporting(last, report, now.Sub(lastAt))) {
			if _, err := stream.Write(report.Append(nil)); err != nil {
				return outcome(ctx, err)
			}
			last, lastAt = report, now
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return outcome(ctx, nil)
		}
	}
}

// probeReport rounds the statistics to the message's units; a measured zero is
// written as one, because zero means unknown.
func probeReport(stats Stats) protocol.Probe {
	var p protocol.Probe
	if stats.RTT > 0 {
		p.RTT = max(1, uint64(stats.RTT.Round(time.Millisecond)/time.Millisecond))
	}
	if stats.SendRate > 0 {
		p.Bitrate = min(max(1, stats.SendRate), protocol.MaxInteger)
	}
	return p
}

// worthReporting says whether a report is due: a change of a quarter at once, a
// smaller one later, any or none after ten seconds.
func worthReporting(last, now protocol.Probe, since time.Duration) bool {
	if since >= probeAtLeast {
		return true
	}
	left := 1 - since.Seconds()/probeAtLeast.Seconds()
	return moved(last.RTT, now.RTT) >= probeDeadband ||
		moved(last.Bitrate, now.Bitrate) > probeDeadband*left
}

func moved(a, b uint64) float64 {
	if a == b {
		return 0
	}
	if a == 0 {
		return 1
	}
	return max(float64(a), float64(b))/float64(a) - min(float64(a), float64(b))/float64(a)
}

// Probe opens a probe stream and calls each with the peer's reports until ctx or
// the stream ends.
func (s *Session) Probe(ctx context.Context, each func(protocol.Probe)) error {
	stream, err := s.conn.OpenStream(ctx)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer stream.CancelRead(protocol.CodeCancel)
	defer func() { _ = stream.Close() }()
	if _, err := stream.Write(protocol.StreamProbe.Append(nil)); err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer abortWith(ctx, stream)()
	r := protocol.NewReader(stream)
	for {
		p, err := r.Probe()
		switch {
		case ctx.Err() != nil, errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("probe: %w", err)
		}
		each(p)
	}
}
