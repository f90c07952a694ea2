// Package rollout says what an upgrade does next. Plan is a pure function of the state:
// it reads no clock, and the same state gives the same plan on every machine. Whoever
// runs it appends what it says and plans again; running it twice does no harm.
//
// Three words:
//
//   - a step is what the plan says about one machine, always with a reason;
//   - in flight is a machine that holds an open order of the upgrade;
//   - to halt is to order no further machine until an operator decides.
//
// State servers go first, one at a time; then the other machines, at most
// Policy.MaxInFlight at once. A machine that failed, was rolled back or let its order
// time out halts the upgrade; orders that are open then run out.
package rollout
