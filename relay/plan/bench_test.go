package plan

import (
	"testing"
	"time"
)

// A room on 2,000 relays in five zones.
const (
	benchRelays = 2000
	benchZones  = 5
)

func BenchmarkJoin(b *testing.B) {
	p := grown(b, DefaultDegree, benchZones, benchRelays)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := p.Join(Relay{"new", "zone-3"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLeave(b *testing.B) {
	p := grown(b, DefaultDegree, benchZones, benchRelays)
	red, blue := p.Roots()
	for _, bm := range []struct{ name, leaver string }{{"root", red}, {"parent", "relay-0040"}, {"leaf", "relay-1500"}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := p.Leave(bm.leaver); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("takeover", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := p.TakeOver(blue, red); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	p := grown(b, DefaultDegree, benchZones, benchRelays)
	b.ReportAllocs()
	for b.Loop() {
		b.ReportMetric(float64(len(p.Encode())), "bytes")
	}
}

func BenchmarkDecode(b *testing.B) {
	wire := grown(b, DefaultDegree, benchZones, benchRelays).Encode()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNext(b *testing.B) {
	p := grown(b, DefaultDegree, benchZones, benchRelays)
	m := Mover{Room: "town-hall", Self: "relay-1999"}
	for i := range 6 {
		if err := m.Adopt(at(time.Duration(i)*3*secs), p); err != nil {
			b.Fatal(err)
		}
		p = p.next()
	}
	red, blue, err := p.Parents("relay-1999")
	if err != nil {
		b.Fatal(err)
	}
	held := [2]Held{{Old: Way{red, Working}}, {Old: Way{blue, Working}}}
	b.ReportAllocs()
	for b.Loop() {
		m.Next(at(18*secs), held, everybody)
	}
}
