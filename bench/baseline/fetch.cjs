// Asks for a URL and parses its JSON: the least that a look-up must do.
fetch(process.argv[2]).then(async (response) => {
  const { tags } = JSON.parse(await response.text());
  console.log(tags.length);
});
