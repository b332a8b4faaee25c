package mysql_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"padron"
	"padron/internal/store/mysql"
	"padron/internal/store/mysqltest"
	"padron/internal/store/storetest"
)

// TestOutageIsBorne: a batch, and a question, that meet a server which is gone
// wait until it is back.
func TestOutageIsBorne(t *testing.T) {
	server := mysqltest.Private(t)
	restart := sync.OnceFunc(func() { server.Restart(t) })
	tries := 0
	st := open(t, server.Database(t), mysql.WithOutages(func(err error) {
		if padron.ErrorCode(err) != padron.CodeUnavailable {
			t.Errorf("told of %v", err)
		}
		tries++
		restart()
	}))
	held := lease(t, st)
	server.Kill()
	apply(t, st, held, batch(1, 11))
	if n := count(t, st); n != 10 || tries == 0 {
		t.Errorf("%d customers after %d tries", n, tries)
	}
	restart = sync.OnceFunc(func() { server.Restart(t) })
	server.Kill()
	known, err := st.Lookup(t.Context(), []padron.CustomerID{storetest.Customer(3).ID})
	if err != nil || len(known) != 1 {
		t.Errorf("%d are known (%v)", len(known), err)
	}
}

// TestLostAnswerToACommit: the connection breaks when the first of two batches on
// their way is committed and the run has not heard of it. Nothing is counted
// twice, and neither waits for the other.
func TestLostAnswerToACommit(t *testing.T) { mysqltest.Each(t, testLostAnswerToACommit) }

func testLostAnswerToACommit(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	direct := open(t, url)
	line := newProxy(t, server.Addr())
	outages := 0
	st := open(t, strings.Replace(url, server.Addr(), line.addr(), 1), mysql.WithOutages(func(error) { outages++ }))
	held := lease(t, st)
	if err := st.AddKey(t.Context(), padron.DataKey{ID: 1, Purpose: padron.PurposeSeal, Wrapped: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	first, second := batch(1, 60), batch(60, 120)
	first.Messages = map[padron.KeyID]int64{1: 59}
	first.Rejected = []padron.Rejected{{ID: "q", Reasons: []padron.Reason{padron.ReasonMalformed}, Record: padron.Sealed("r")}}
	asked, come := make(chan struct{}), make(chan error)
	second.Turn = sync.OnceValue(func() error { close(asked); return <-come })
	done := make(chan error, 1)
	go func() { done <- st.Apply(t.Context(), held, second) }()
	<-asked                       // its customers are in the server
	line.loseAnswer("\x03COMMIT") // 3 is a query's; a session begins with READ COMMITTED
	apply(t, st, held, first)
	come <- nil
	if err := <-done; err != nil {
		t.Error(err)
	}
	key, err := direct.Key(t.Context(), 1)
	if err != nil || key.Messages != 59 {
		t.Errorf("%d messages of 59 (%v)", key.Messages, err)
	}
	if q, err := direct.Quarantine(t.Context(), "", 9); err != nil || len(q) != 1 || q[0].Count != 1 {
		t.Errorf("in quarantine: %+v (%v)", q, err)
	}
	if n := count(t, direct); n != 119 || outages != 1 {
		t.Errorf("%d customers of 119, %d outages", n, outages)
	}
}

// TestLostAnswerToAPartitionsCommit: the same of a partition's batch.
func TestLostAnswerToAPartitionsCommit(t *testing.T) {
	mysqltest.Each(t, testLostAnswerToAPartitionsCommit)
}

func testLostAnswerToAPartitionsCommit(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	line := newProxy(t, server.Addr())
	st := open(t, strings.Replace(url, server.Addr(), line.addr(), 1))
	held := lease(t, st)
	if err := st.AddKey(t.Context(), padron.DataKey{ID: 1, Purpose: padron.PurposeSeal, Wrapped: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	plan := &padron.Plan{RunID: "r", Parts: []padron.Part{{Part: 1}, {Part: 2}}}
	if err := st.Divide(t.Context(), held, plan, time.Hour); err != nil {
		t.Fatal(err)
	}
	part, _, err := st.BeginPart(t.Context(), held, 2)
	if err != nil {
		t.Fatal(err)
	}
	b := batch(1, 60)
	b.Messages, b.Part = map[padron.KeyID]int64{1: 59}, &padron.PartState{Seen: []byte{1}}
	line.loseAnswer("\x03COMMIT")
	apply(t, st, part, b)
	key, err := st.Key(t.Context(), 1)
	if err != nil || key.Messages != 59 {
		t.Errorf("%d messages of 59 (%v)", key.Messages, err)
	}
	if seen, err := st.PartsSeen(t.Context(), 2); err != nil || len(seen) != 1 {
		t.Errorf("seen: %v (%v)", seen, err)
	}
	if n := count(t, st); n != 59 {
		t.Errorf("%d customers of 59", n)
	}
}

// TestOutagesBeforeTheTurn: both batches lose their connections while the second
// waits for its turn. It must not keep the first from being written again.
func TestOutagesBeforeTheTurn(t *testing.T) { mysqltest.Each(t, testOutagesBeforeTheTurn) }

func testOutagesBeforeTheTurn(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	line := newProxy(t, server.Addr())
	st := open(t, strings.Replace(url, server.Addr(), line.addr(), 1))
	held := lease(t, st)
	first, second := batch(1, 60), batch(60, 120)
	asked, come := make(chan struct{}), make(chan error)
	second.Turn = sync.OnceValue(func() error { close(asked); return <-come })
	done := make(chan error, 1)
	line.loseAnswer("max(num)")
	go func() { done <- st.Apply(t.Context(), held, second) }()
	<-asked // for the second time
	apply(t, st, held, first)
	come <- nil
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := count(t, open(t, url)); n != 119 {
		t.Errorf("%d customers of 119", n)
	}
}

// TestTakeoverBesideAStalledBatch: a run whose process was stopped with customers in
// the server, before its turn, loses its lease. Whoever took it waits until the
// server has ended that session, and the stalled run writes nothing.
func TestTakeoverBesideAStalledBatch(t *testing.T) {
	mysqltest.Each(t, testTakeoverBesideAStalledBatch)
}

func testTakeoverBesideAStalledBatch(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	stalled := open(t, url, mysql.WithOutageTime(0))
	held := lease(t, stalled)
	asked, come := make(chan struct{}), make(chan error)
	b := batch(1, 60)
	b.Turn = sync.OnceValue(func() error { close(asked); return <-come })
	done := make(chan error, 1)
	go func() { done <- stalled.Apply(t.Context(), held, b) }()
	<-asked
	ended := sync.OnceFunc(func() { endSessions(t, stalled) })
	next := open(t, url, mysql.WithLockTime("1"), mysql.WithOutages(func(error) { ended() }),
		mysql.WithClock(func() time.Time { return time.Now().Add(2 * time.Hour) }))
	taken := lease(t, next)
	if err := next.Apply(t.Context(), taken, batch(1, 60)); err != nil {
		t.Fatal(err)
	}
	come <- nil
	if err := <-done; err == nil {
		t.Error("the stalled run has written")
	}
	if n := count(t, next); n != 59 {
		t.Errorf("%d customers of 59", n)
	}
}

// endSessions ends the sessions of a store's database that are in a transaction and
// do nothing, as the server does by itself in the end.
func endSessions(t *testing.T, st *mysql.Store) {
	t.Helper()
	rows, err := st.DB().Query(`SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_query IS NULL
		AND trx_mysql_thread_id IN (SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id())`)
	if err != nil {
		t.Error(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Error(err)
			return
		}
		if _, err := st.DB().Exec("KILL " + strconv.FormatInt(id, 10)); err != nil {
			t.Error(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}

// TestOutageAfterALongWait: the connection of a batch breaks that has waited for its
// turn for longer than an outage may last.
func TestOutageAfterALongWait(t *testing.T) { mysqltest.Each(t, testOutageAfterALongWait) }

func testOutageAfterALongWait(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	const outage = 300 * time.Millisecond
	line := newProxy(t, server.Addr())
	st := open(t, strings.Replace(url, server.Addr(), line.addr(), 1), mysql.WithOutageTime(outage))
	held := lease(t, st)
	b := batch(1, 60)
	b.Turn = sync.OnceValue(func() error {
		<-time.After(2 * outage) // what is waited for is time itself
		line.loseAnswer("FROM lease")
		return nil
	})
	apply(t, st, held, b)
	if n := count(t, open(t, url)); n != 59 {
		t.Errorf("%d customers of 59", n)
	}
}

// TestLostAnswerToAKey: a data key is stored once, and the run does not hear of it.
func TestLostAnswerToAKey(t *testing.T) { mysqltest.Each(t, testLostAnswerToAKey) }

func testLostAnswerToAKey(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	line := newProxy(t, server.Addr())
	st := open(t, strings.Replace(url, server.Addr(), line.addr(), 1))
	key := padron.DataKey{ID: 1, Purpose: padron.PurposeSeal, Wrapped: []byte{1}}
	line.loseAnswer("INTO data_keys")
	if err := st.AddKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if err := st.AddKey(t.Context(), key); err == nil {
		t.Error("a key was stored twice")
	}
	line.loseAnswer("max(num)")
	if _, err := st.LastNumber(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOutageThatIsTooLong ends a run with an error that says so, and at once one
// that is told to stop.
func TestOutageThatIsTooLong(t *testing.T) {
	server := mysqltest.Private(t)
	url := server.Database(t)
	st := open(t, url, mysql.WithOutageTime(200*time.Millisecond))
	patient := open(t, url)
	held := lease(t, st)
	server.Kill()
	defer server.Restart(t)
	began := time.Now()
	if err := st.Apply(t.Context(), held, batch(1, 11)); padron.ErrorCode(err) != padron.CodeUnavailable || time.Since(began) < 200*time.Millisecond {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := patient.Apply(ctx, held, batch(1, 11)); err == nil || ctx.Err() == nil {
		t.Errorf("told to stop: %v", err)
	}
}

// TestReadOnlyServer: a primary that has become read-only is left, by whatever
// number it says so, and its connections with it. The user has no right to write
// all the same, as a service's has not.
func TestReadOnlyServer(t *testing.T) { mysqltest.Each(t, testReadOnlyServer) }

func testReadOnlyServer(t *testing.T, server *mysqltest.Server) {
	url := server.Database(t)
	admin := open(t, url)
	user := mysql.ServiceUser{Service: mysql.UserSynchronizer, Name: "read_only", Password: testPassword}
	if err := admin.PutUser(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	set := func(value string) {
		t.Helper()
		if _, err := admin.DB().Exec("SET GLOBAL read_only = " + value); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := mysql.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.User, cfg.Password = user.Name, user.Password
	tries := 0
	st, err := mysql.Open(t.Context(), cfg, mysql.WithOutages(func(error) {
		tries++
		set("OFF")
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	held := lease(t, st)
	var before, after int64
	connection := "SELECT connection_id()"
	if err := st.DB().QueryRow(connection).Scan(&before); err != nil {
		t.Fatal(err)
	}
	set("ON")
	defer set("OFF")
	if err := st.Apply(t.Context(), held, batch(1, 11)); err != nil || tries == 0 {
		t.Errorf("a batch for a read-only server, after %d tries: %v", tries, err)
	}
	if err := st.DB().QueryRow(connection).Scan(&after); err != nil || after == before {
		t.Errorf("connection %d again (%v)", after, err)
	}
	if n := count(t, admin); n != 10 {
		t.Errorf("%d customers", n)
	}
}

// TestWhatAnOutageIs: errors that say that the server was left, and those that say
// something of the statement.
func TestWhatAnOutageIs(t *testing.T) {
	number := func(n uint16) error { return &driver.MySQLError{Number: n} }
	for err, want := range map[error]bool{
		number(1290): true, number(1836): true, number(1792): true, // read-only in some way
		number(1053): true, number(1927): true, number(3169): true, number(4031): true, number(1040): true, // the session's end
		sqldriver.ErrBadConn: true, driver.ErrInvalidConn: true, io.EOF: true, io.ErrUnexpectedEOF: true,
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}: true, &net.DNSError{Err: "no such host", IsNotFound: true}: true,
		number(1205): true, // a session that does not end has kept rows
		number(1062): false, number(1213): false, number(1114): false, number(1045): false,
		padron.ErrLeaseLost: false, context.Canceled: false, sql.ErrNoRows: false,
	} {
		if got := mysql.Gone(err); got != want {
			t.Errorf("%v: %t", err, got)
		}
		if got := mysql.Gone(mysql.Explain(err)); got != want {
			t.Errorf("%v, explained: %t", err, got)
		}
	}
}
