// The page of a process that was watched from outside: a chart with its children, and no functions.
drive(() => {
  const data = JSON.parse(one("#data").textContent);
  check("a curve for each child", all(".live path.child").length === data.children.length && data.children.length > 0, data.children.length);
  check("and its name", all(".key li").length === data.children.length + 1, one(".key").textContent);
  check("moments count from the start", axis().includes("since the start"), axis());
  checkChart();
  fire(one("svg.live"), "pointermove", at(0.5));
  check("pointing reads out", /MiB$/.test(readout()), readout());
});
