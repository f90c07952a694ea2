package fleet

import (
	"container/heap"
	"time"
)

// queue is what is still to happen, ordered by virtual time. Things of the same time happen in the
// order in which they were put into the queue.
type queue struct {
	now   time.Duration // virtual time since the story began
	put   uint64
	items items
}

type item struct {
	at time.Duration
	n  uint64
	f  func()
}

type items []item

func (q items) Len() int { return len(q) }
func (q items) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].n < q[j].n
}
func (q items) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *items) Push(x any)   { *q = append(*q, x.(item)) }
func (q *items) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// after puts f into the queue, for the time d from now.
func (q *queue) after(d time.Duration, f func()) {
	q.put++
	heap.Push(&q.items, item{q.now + d, q.put, f})
}

// next takes the first thing from the queue and calls it. It returns false when nothing is left.
func (q *queue) next() bool {
	if len(q.items) == 0 {
		return false
	}
	it := heap.Pop(&q.items).(item)
	q.now = it.at
	it.f()
	return true
}
