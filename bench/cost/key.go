package cost

// A Key names a figure, in JSON as well. The unit is part of the name.
type Key string

// What there is. Where a figure exists for three lengths of packets or two
// transports, [Constants] has a method that chooses.
const (
	// A relay's CPU time for each datagram that it sends to a listener: its share
	// of all that the process does, acknowledgements and the kernel included.
	QUIC20         Key = "cpu_us_per_datagram_20ms"
	QUIC60         Key = "cpu_us_per_datagram_60ms"
	QUIC120        Key = "cpu_us_per_datagram_120ms"
	WebTransport20 Key = "webtransport_cpu_us_per_datagram_20ms"
	WebTransport60 Key = "webtransport_cpu_us_per_datagram_60ms"
	// WebTransport120 is as the others.
	WebTransport120 Key = "webtransport_cpu_us_per_datagram_120ms"

	// SerialSend is the part of it that one thread does for all listeners: the
	// socket's sendmmsg, one at a time.
	SerialSend Key = "send_us_per_datagram"

	// What is resident for each session, and for a relay without any.
	MemoryQUIC         Key = "memory_bytes_per_listener"
	MemoryWebTransport Key = "webtransport_memory_bytes_per_listener"
	MemoryStandby      Key = "memory_bytes_per_standby"
	MemoryRelay        Key = "memory_bytes_per_relay"

	// StandbyCPU is a relay's CPU time a second for a session that only stands by,
	// StandbyPackets what that is sent.
	StandbyCPU     Key = "cpu_us_per_standby_second"
	StandbyPackets Key = "packets_per_standby_second"

	// OpusBytes is the size of an Opus packet of 20 ms.
	OpusBytes Key = "opus_bytes"

	// JoinCPU is a relay's CPU time for a listener who comes, and JoinSpare the
	// share of the processors up to which a relay lets newcomers in.
	JoinCPU   Key = "cpu_ms_per_join"
	JoinSpare Key = "join_cpu_share"

	// JoinClientCPU is the client's CPU time for each session that it begins.
	JoinClientCPU Key = "client_cpu_ms_per_join"

	// FirstAudio is from the first packet of a newcomer to its first audio, at a
	// relay that has time for it and is on the same host: round trips come on top.
	FirstAudio50 Key = "first_audio_p50_ms"
	FirstAudio99 Key = "first_audio_p99_ms"

	// Delay is what a relay adds to a packet's way.
	Delay50 Key = "relay_delay_p50_ms"
	Delay99 Key = "relay_delay_p99_ms"

	// Hop is from the overdue packet to the first copy over the new session; Drain
	// from the GOAWAY, with a handshake, while the old session goes on.
	Hop50   Key = "hop_p50_ms"
	Hop99   Key = "hop_p99_ms"
	Drain50 Key = "drain_hop_p50_ms"
	Drain99 Key = "drain_hop_p99_ms"

	// What a listener's alarm is made of: see [Constants.Overdue].
	MarginLeast Key = "margin_least_ms"
	MarginMost  Key = "margin_most_ms"
	Tick        Key = "tick_ms"

	// A hop's listener dials the next standby after a pause between these two.
	StandbyLeast Key = "standby_dial_least_ms"
	StandbyMost  Key = "standby_dial_most_ms"

	// PeerSilence is when a relay takes another one for gone, PeerLook how often it
	// looks.
	PeerSilence Key = "peer_silence_ms"
	PeerLook    Key = "peer_look_ms"

	// Gossip: how often news are told, to how many, and when all relays of a
	// network that has just started know each other.
	GossipInterval Key = "gossip_interval_ms"
	GossipNodes    Key = "gossip_nodes"
	Directory      Key = "directory_ms"

	// LoadReport is how often a relay looks at its load and tells it.
	LoadReport Key = "load_report_ms"

	// What lies between two hosts, if [Constants.RTT] is told nothing of their
	// zones.
	RTTZone   Key = "rtt_within_zone_ms"
	RTTZones  Key = "rtt_between_zones_ms"
	RTTClient Key = "rtt_client_ms"
	Jitter    Key = "jitter_ms"
)

// A Figure is a constant with what one must know of it.
type Figure struct {
	Key    Key     `json:"key"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Source string  `json:"source"` // the measurement, the file in which it is chosen, or "assumed"

	// Low and High are what is believed. Outside of that it is a mistake: another
	// unit, most likely.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// What figures are measured with.
const (
	fanout  = "bench fanout"
	storm   = "bench storm"
	hops    = "bench hop"
	latency = "bench latency"
	idle    = "go test -bench Idle ./bench/cost"
	assumed = "assumed"
)

// defaults are all figures, in the order in which they are shown.
var defaults = []Figure{
	{QUIC20, 23.0, "µs", fanout + " --packet 20ms", 0.5, 2000},
	{QUIC60, 35.2, "µs", fanout + " --packet 60ms", 0.5, 2000},
	{QUIC120, 43.3, "µs", fanout + " --packet 120ms", 0.5, 2000},
	{WebTransport20, 23.0, "µs", fanout + " --transport webtransport: within 1 % of native QUIC beside it", 0.5, 2000},
	{WebTransport60, 35.2, "µs", fanout + " --transport webtransport: within 1 % of native QUIC beside it", 0.5, 2000},
	{WebTransport120, 43.3, "µs", fanout + " --transport webtransport: within 1 % of native QUIC beside it", 0.5, 2000},
	{SerialSend, 3.1, "µs", fanout + " --packet 60ms --profile: relay/udp's send, 9 % of 35 µs", 0.05, 500},
	{MemoryQUIC, 103e3, "bytes", fanout, 1e3, 10e6},
	{MemoryWebTransport, 164e3, "bytes", fanout + " --transport webtransport", 1e3, 10e6},
	{MemoryStandby, 123e3, "bytes", idle, 1e3, 10e6},
	{MemoryRelay, 29e6, "bytes", idle, 1e6, 10e9},
	{StandbyCPU, 88, "µs", idle, 0, 10e3},
	{StandbyPackets, 0.5, "packets/s", "docs/hops.md, two sessions", 0, 100},
	{OpusBytes, 80, "bytes", "32 kbit/s in packets of 20 ms", 1, 1275},
	{JoinCPU, 2.0, "ms", storm + ": 1.3 to 1.6 ms where 300 come a second, 2 to 3 where 100 do", 0.01, 1000},
	{JoinClientCPU, 2.5, "ms", hops + ": processors, while listeners come", 0.01, 1000},
	{JoinSpare, 0.70, "of the processors", "relay/admission/bucket.go, spareCPU", 0.01, 1},
	{FirstAudio50, 4.2, "ms", storm + " --join-rate 100: at 80 % of the capacity", 0.1, 60e3},
	{FirstAudio99, 69, "ms", storm + " --join-rate 100: at 80 % of the capacity", 0.1, 60e3},
	{Delay50, 1.5, "ms", latency + " --listeners 100", 0, 1000},
	{Delay99, 4.2, "ms", latency + " --listeners 100", 0, 1000},
	{Hop50, 53, "ms", hops + " --rtt 40ms --jitter 10ms", 0.1, 60e3},
	{Hop99, 72, "ms", hops + " --rtt 40ms --jitter 10ms", 0.1, 60e3},
	{Drain50, 442, "ms", hops + " --causes drain", 0.1, 60e3},
	{Drain99, 544, "ms", hops + " --causes drain", 0.1, 60e3},
	{MarginLeast, 30, "ms", "client/hop/arrivals.go, minMargin", 0, 10e3},
	{MarginMost, 120, "ms", "client/hop/arrivals.go, maxMargin", 0, 10e3},
	{Tick, 200, "ms", "client/hop/options.go, tick", 1, 10e3},
	{StandbyLeast, 250, "ms", "client/hop/options.go, standbyAfter", 0, 600e3},
	{StandbyMost, 2250, "ms", "client/hop/options.go, standbyAfter and standbySpread", 0, 600e3},
	{PeerSilence, 1000, "ms", "relay/presence.go, silentFor", 1, 600e3},
	{PeerLook, 100, "ms", "relay/presence.go, presenceEvery", 1, 600e3},
	{GossipInterval, 100, "ms", "membership/tuning.go, GossipInterval", 1, 60e3},
	{GossipNodes, 8, "relays", "membership/tuning.go, GossipNodes", 1, 1000},
	{Directory, 4400, "ms", "go test -bench . ./membership: 200 directories", 1, 600e3},
	{LoadReport, 500, "ms", "relay/load.go, loadEvery", 1, 60e3},
	{RTTZone, 1, "ms", assumed, 0, 10e3},
	{RTTZones, 40, "ms", "the network of " + hops, 0, 10e3},
	{RTTClient, 40, "ms", "the network of " + hops, 0, 10e3},
	{Jitter, 10, "ms", "the network of " + hops, 0, 10e3},
}
