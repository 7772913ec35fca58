// The index of all runs.
drive(() => {
  checkSorting(one("table"));
  check("every run is linked", all("tbody tr").every((row) => row.querySelector("a")?.getAttribute("href").endsWith("/index.html")));
});
