package statesrv

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/jujube-project/jujube/projections"
)

// metrics are what /metrics shows. They have a registry of their own, so several servers can run in
// one process.
type metrics struct {
	registry       *prometheus.Registry
	records        prometheus.Counter
	batchRecords   prometheus.Histogram
	commitSeconds  prometheus.Histogram
	garbageSkipped *prometheus.CounterVec
	position       prometheus.Gauge
	unusable       *prometheus.GaugeVec
	machines       *prometheus.GaugeVec
	orders         prometheus.Gauge
}

// newMetrics makes all metrics at zero. waiting is called at each scrape, from another goroutine; it
// gives how many changes wait in the writer's queue. full says whether nothing is written.
func newMetrics(waiting func() float64, full func() bool) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		records:  prometheus.NewCounter(prometheus.CounterOpts{Name: "jujube_records_appended_total", Help: "Records appended to the log."}),
		batchRecords: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "jujube_batch_records", Help: "Records in one commit.", Buckets: prometheus.ExponentialBuckets(1, 4, 6),
		}),
		commitSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "jujube_commit_seconds", Help: "Time of one commit.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		garbageSkipped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jujube_garbage_skipped_total",
			Help: "Messages that were skipped because they could not be read.",
		}, []string{"subject"}),
		position: prometheus.NewGauge(prometheus.GaugeOpts{Name: "jujube_log_position", Help: "Sequence of the newest folded record."}),
		unusable: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "jujube_log_unusable_records", Help: "Records of the log that change nothing: unreadable ones, and those without a signed cause.",
		}, []string{"why"}),
		machines: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "jujube_machines", Help: "Machines by state."}, []string{"state"}),
		orders:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "jujube_open_orders", Help: "Orders that their machine has not ended."}),
	}
	m.registry.MustRegister(m.records, m.batchRecords, m.commitSeconds, m.garbageSkipped, m.position, m.unusable, m.machines, m.orders)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jujube_queue_length", Help: "Changes that wait to be decided.",
	}, waiting))
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "jujube_disk_full", Help: "1 while nothing is written because the disk is full.",
	}, func() float64 {
		if full() {
			return 1
		}
		return 0
	}))
	return m
}

// appended counts one commit: how many records it had, and how long it took.
func (m *metrics) appended(records int, elapsed time.Duration) {
	m.records.Add(float64(records))
	m.batchRecords.Observe(float64(records))
	m.commitSeconds.Observe(elapsed.Seconds())
}

// garbage counts a message that was skipped. subject is the first word of its subject: it must not
// hold an id, since each value is a time series of its own.
func (m *metrics) garbage(subject string) { m.garbageSkipped.WithLabelValues(subject).Inc() }

// state takes the gauges from committed state. A machine that is lost counts as "lost" and not under
// its life. States without a machine are set to zero, or their old number would stay.
func (m *metrics) state(s *projections.State) {
	m.position.Set(float64(s.Seq))
	m.orders.Set(float64(len(s.Orders)))
	m.unusable.WithLabelValues("unreadable").Set(float64(s.SkippedCount()))
	m.unusable.WithLabelValues("disbelieved").Set(float64(s.DisbelievedCount()))
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
