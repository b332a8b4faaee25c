package bench

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// counter is one of the server's own, since it started.
func (h *harness) counter(name string) (value int64) {
	h.Helper()
	var ignore string
	check(h, h.admin.QueryRow("SHOW GLOBAL STATUS LIKE '"+name+"'").Scan(&ignore, &value))
	return value
}

// settle waits until the server has written every page that it put off, so that
// what is measured next does not pay for what came before. Where nothing is
// measured in earnest, it does not wait. A server that is not done in time is
// told of in the document.
func (h *harness) settle() {
	h.Helper()
	if h.sizes.settle == 0 {
		return
	}
	set := func(statement string) { must(h.admin.Exec("SET GLOBAL " + statement))(h) }
	set("innodb_io_capacity_max=100000, GLOBAL innodb_io_capacity=100000, GLOBAL innodb_max_dirty_pages_pct=0")
	end := time.Now().Add(h.sizes.settle)
	for h.counter("Innodb_buffer_pool_pages_dirty") > 0 {
		if time.Now().After(end) {
			h.unsettled++
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	set("innodb_max_dirty_pages_pct=DEFAULT, GLOBAL innodb_io_capacity=DEFAULT, GLOBAL innodb_io_capacity_max=DEFAULT")
}

// pid is the server's process.
func (h *harness) pid() int {
	h.Helper()
	text := must(os.ReadFile(filepath.Join(filepath.Dir(h.server.CAFile()), "pid")))(h)
	return must(strconv.Atoi(strings.TrimSpace(string(text))))(h)
}

// written counts what the server wrote while f ran: rows of any table, rows of a
// register's customers, and bytes of its log and of its pages.
type written struct {
	rows, customers int64
	log, pages      int64
}

func (h *harness) written(r register, f func()) (w written) {
	h.Helper()
	must(h.admin.Exec("FLUSH TABLE_STATISTICS"))(h)
	must(h.admin.Exec("SET GLOBAL userstat=ON"))(h)
	log, pages := h.counter("Innodb_os_log_written"), h.counter("Innodb_data_written")
	f()
	w.log, w.pages = h.counter("Innodb_os_log_written")-log, h.counter("Innodb_data_written")-pages
	const changed = "SELECT coalesce(sum(rows_changed), 0), coalesce(sum(if(table_name = 'customers', rows_changed, 0)), 0) " +
		"FROM information_schema.table_statistics WHERE table_schema = ?"
	check(h, h.admin.QueryRow(changed, r.name).Scan(&w.rows, &w.customers))
	must(h.admin.Exec("SET GLOBAL userstat=OFF"))(h)
	return w
}
