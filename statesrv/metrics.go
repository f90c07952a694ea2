package statesrv

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jujube-project/jujube/projections"
)

// metrics are what /metrics shows, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry
	records  prometheus.Counter
	batches  prometheus.Histogram
	seconds  prometheus.Histogram
	skipped  *prometheus.CounterVec
	position prometheus.Gauge
	machines *prometheus.GaugeVec
	orders   prometheus.Gauge
}

// newMetrics makes them; waiting tells how many changes wait in the queue.
func newMetrics(waiting func() float64) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		records:  prometheus.NewCounter(prometheus.CounterOpts{Name: "jujube_records_appended_total", Help: "Records appended to the log."}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "jujube_batch_records", Help: "Records in one commit.", Buckets: prometheus.ExponentialBuckets(1, 4, 6),
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "jujube_commit_seconds", Help: "Time of one commit.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		skipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jujube_garbage_skipped_total",
			Help: "Messages that were skipped because they could not be read.",
		}, []string{"subject"}),
		position: prometheus.NewGauge(prometheus.GaugeOpts{Name: "jujube_log_position", Help: "Sequence of the newest folded record."}),
		machines: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jujube_machines", Help: "Machines by state."}, []string{"state"}),
		orders:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "jujube_open_orders", Help: "Orders that their machine has not ended."}),
	}
	m.registry.MustRegister(m.records, m.batches, m.seconds, m.skipped, m.position, m.machines, m.orders)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jujube_queue_length", Help: "Changes that wait to be decided.",
	}, waiting))
	return m
}

func (m *metrics) appended(records int, took time.Duration) {
	m.records.Add(float64(records))
	m.batches.Observe(float64(records))
	m.seconds.Observe(took.Seconds())
}

func (m *metrics) garbage(subject string) { m.skipped.WithLabelValues(subject).Inc() }

func (m *metrics) state(s *projections.State) {
	m.position.Set(float64(s.Seq))
	m.orders.Set(float64(len(s.Orders)))
	count := map[string]int{projections.LifeInvited: 0, projections.LifeAlive: 0, "lost": 0}
	for _, machine := range s.Machines {
		if machine.Lost {
			count["lost"]++
			continue
		}
		count[machine.Life]++
	}
	for state, n := range count {
		m.machines.WithLabelValues(state).Set(float64(n))
	}
}
