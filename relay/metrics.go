package relay

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/stentor-audio/stentor/relay/admission"
	"github.com/stentor-audio/stentor/relay/deliver"
	"github.com/stentor-audio/stentor/relay/ingest"
)

// metrics are the relay's own registry. What is counted on the way of a frame is
// counted by the session that it belongs to and summed up only when somebody
// asks, so a scrape pays for the counting and not the fan-out.
type metrics struct {
	registry *prometheus.Registry
	ingest   *prometheus.CounterVec
	accepted *prometheus.CounterVec
	refused  *prometheus.CounterVec

	mu      sync.Mutex
	retired deliver.Totals // of sessions that have ended
}

func newMetrics(r *Relay) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		ingest: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stentor_ingest_dropped_total",
			Help: "Groups of publishers that were not taken, by reason.",
		}, []string{"reason"}),
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stentor_sessions_accepted_total",
			Help: "Sessions begun, by transport.",
		}, []string{"transport"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "stentor_sessions_refused_total",
			Help: "Connections refused before they became a session, by reason.",
		}, []string{"reason"}),
	}
	m.registry.MustRegister(m.ingest, m.accepted, m.refused,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		&collector{relay: r},
	)
	return m
}

func (m *metrics) ingestDropped(why ingest.Drop) { m.ingest.WithLabelValues(string(why)).Inc() }

// retire keeps the counts of a session that has ended.
func (m *metrics) retire(c *deliver.Counters) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.retired.Add(c)
}

func (m *metrics) totals() deliver.Totals {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.retired
}

// collector reads the relay when Prometheus asks.
type collector struct{ relay *Relay }

var (
	descSessions   = prometheus.NewDesc("stentor_sessions", "Sessions open now, by transport.", []string{"transport"}, nil)
	descBroadcasts = prometheus.NewDesc("stentor_broadcasts", "Broadcasts live here.", nil, nil)
	descSubs       = prometheus.NewDesc("stentor_subscriptions", "Subscriptions served now.", nil, nil)
	descGroups     = prometheus.NewDesc("stentor_groups_total", "First copies of groups, by open broadcast and track.", []string{"broadcast", "track"}, nil)
	descDuplicates = prometheus.NewDesc("stentor_group_duplicates_total", "Later copies of groups, by open broadcast and track.", []string{"broadcast", "track"}, nil)
	descLate       = prometheus.NewDesc("stentor_groups_late_total", "Groups that came after their place in the ring was gone.", []string{"broadcast", "track"}, nil)
	descRepaired   = prometheus.NewDesc("stentor_groups_repaired_total", "Groups that were lost on the way here and fetched.", []string{"broadcast", "track"}, nil)
	descSent       = prometheus.NewDesc("stentor_sent_total", "Groups sent, by how: one datagram or one stream each.", []string{"how"}, nil)
	descSentBytes  = prometheus.NewDesc("stentor_sent_bytes_total", "Payload bytes sent.", nil, nil)
	descDropped    = prometheus.NewDesc("stentor_dropped_total", "Groups that did not reach a subscriber, by reason.", []string{"reason"}, nil)
	descLoad       = prometheus.NewDesc("stentor_load", "Percent of the relay that is in use, by what there might be too little of.", []string{"part"}, nil)
	descJoinRate   = prometheus.NewDesc("stentor_join_rate", "Handshakes a second that may begin; +Inf without a limit.", nil, nil)
	descState      = prometheus.NewDesc("stentor_state", "1 for the state the relay is in.", []string{"state"}, nil)
	descUptime     = prometheus.NewDesc("stentor_uptime_seconds", "Since the relay began to serve.", nil, nil)
)

func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descSessions, descBroadcasts, descSubs, descGroups, descDuplicates,
		descLate, descRepaired, descSent, descSentBytes, descDropped, descLoad, descJoinRate, descState, descUptime} {
		ch <- d
	}
}

func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	r := c.relay
	byTransport := map[string]int{"quic": 0, "webtransport": 0, "websocket": 0}
	totals := r.metrics.totals()
	for _, p := range r.snapshot() {
		byTransport[p.session.Conn().Transport()]++
		totals.Add(&p.deliver.Counters)
	}
	for transport, n := range byTransport {
		gauge(descSessions, float64(n), transport)
	}
	broadcasts := r.origin.Broadcasts("")
	members := 0
	for _, b := range broadcasts {
		for _, t := range b.Tracks() {
			n := t.Counts()
			members += t.Members()
			count(descGroups, n.Groups, string(b.Path), t.Name)
			count(descDuplicates, n.Duplicates, string(b.Path), t.Name)
			count(descLate, n.Late, string(b.Path), t.Name)
			count(descRepaired, n.Repaired, string(b.Path), t.Name)
		}
	}
	gauge(descBroadcasts, float64(len(broadcasts)))
	gauge(descSubs, float64(members))
	count(descSent, totals.Datagrams, "datagram")
	count(descSent, totals.Streams, "stream")
	count(descSentBytes, totals.Bytes)
	totals.EachDrop(func(reason string, n uint64) { count(descDropped, n, reason) })
	loads, _ := r.gauge.get()
	for part := range admission.Parts {
		gauge(descLoad, loads[part], part.String())
	}
	gauge(descJoinRate, r.doors.joinRate())
	gauge(descState, 1, r.State().String())
	gauge(descUptime, time.Since(r.started).Seconds())
}
