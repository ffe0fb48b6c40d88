package client

import (
	"cmp"
	"encoding/json"
	"math"
	"time"
)

// Listener makes a Listener for the speaker's own ears: it hears the room in packets
// of 20 ms unless told otherwise, everybody on stage however many there are, and
// leaves its own voice out. Room, Relays and Dial are the Speaker's where they are
// left open. Run it beside the Speaker's.
func (s *Speaker) Listener(o ListenOptions) (*Listener, error) {
	o.Room = cmp.Or(o.Room, s.o.Room)
	if len(o.Relays) == 0 {
		o.Relays, o.Dial = s.o.Relays, s.o.Dial
	}
	o.Packet = cmp.Or(o.Packet, FrameDuration)
	// By this the relay knows that somebody listens who is on stage.
	o.Dial.HopID, o.self = s.o.HopID, s.o.HopID
	return NewListener(o)
}

// An Echo is what a speaker's client has found of its microphone: package
// client/echo finds it.
type Echo struct {
	Loop  bool          // the microphone hears the room
	Delay time.Duration // after which what was played comes in again
	Gain  float64       // by how much stronger, in dB; negative
}

// ReportEcho tells whoever follows the broadcast's track guard, such as the room's
// hosts, of an open microphone that hears the room.
func (s *Speaker) ReportEcho(e Echo) {
	report := struct {
		Loop  bool    `json:"loop"`
		Delay int64   `json:"delay_ms,omitempty"`
		Gain  float64 `json:"gain_db,omitempty"`
	}{Loop: e.Loop}
	if e.Loop && !math.IsNaN(e.Gain) && !math.IsInf(e.Gain, 0) {
		report.Delay, report.Gain = e.Delay.Milliseconds(), math.Round(e.Gain*10)/10
	}
	if b, err := json.Marshal(report); err == nil {
		s.broadcast.guard.add(b)
	}
}
