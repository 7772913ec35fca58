// How figures grow with the size of the input.
drive(() => {
  const table = one("table.growth");
  const box = table.parentElement;
  check("all predictions are in sight", box.scrollWidth <= box.clientWidth, [box.scrollWidth, box.clientWidth]);
  const cells = [...table.querySelectorAll("td[data-label]")].filter((cell) => cell.textContent);
  const label = (cell) => getComputedStyle(cell, "::before").content;
  const narrow = innerWidth < 720;
  check("on a narrow screen figures have names", cells.every((cell) => label(cell).includes(cell.dataset.label) === narrow), cells.length);
  const inside = cells.every((cell) => cell.getBoundingClientRect().right <= box.getBoundingClientRect().right);
  check("none is cut", inside, cells.length);
  check("there is a law", table.textContent.includes("n^2"), table.textContent);
  const chart = box.parentElement.querySelector("svg").getBoundingClientRect();
  check("the chart is as wide as there is room", chart.width > 0 && chart.width <= innerWidth, chart.width);
});
