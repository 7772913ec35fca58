// The first screen of a run's page: a leak, a spike and churn, each with its line.
drive(() => {
  const items = all(".headlines li");
  check("three of them", items.length === 3, items.length);
  const said = [["27.60 MiB", "98", "intern", "line 91"], ["40.00 MiB", "render", "line 42"], ["119.0 MiB", "parse", "line 62"]];
  said.forEach((parts, i) => {
    const text = items[i].textContent;
    for (const part of parts) check(`${i} says ${part}`, text.includes(part), text);
    const box = items[i].querySelector("b").getBoundingClientRect();
    check(`${i} is on the first screen`, box.top > 0 && box.bottom < 400, box.bottom);
  });
  const titles = all("#functions th").map((th) => th.textContent);
  check("the heap comes first", titles.findIndex((t) => t.includes("alive")) < titles.findIndex((t) => t.includes("RSS")), titles);
  const table = one("#functions").getBoundingClientRect();
  check("the table fits", table.right <= innerWidth, table.right);
});
