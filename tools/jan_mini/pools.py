"""Words to fill patterns with: what people name, repeat, and ask about although jan-mini can't know it."""

# Tables: their entries stay as they are written, since wrapped lines would only hide them.
# ruff: noqa: E501, SIM905
# fmt: off

from __future__ import annotations

NAMES = (
    "Ada Alan Alice Amir Anna Ben Bob Carla Chen Clara Daniel David Elena Emma Eva Felix Fatima George Grace Hana Hugo Ida Ivan "
    "Jack Jane Jan John Julia Kai Karl Lara Lea Leo Lin Lisa Lucas Maria Mark Max Mia Mei Nina Noah Nora Olga Omar Oscar Paul "
    "Peter Priya Rosa Sam Sara Sofia Tom Tina Uma Vera Viktor Wei Yuki Zoe Mohammed Ahmed Raj Sven Ingrid Pierre Jürgen José Zoë"
).split()

PLAIN_WORDS = (
    "apple river stone cloud window garden bridge paper music silver table orange friend yellow market winter summer candle letter "
    "kitchen morning evening forest island mirror number object pencil planet pocket potato purple rabbit school season shadow "
    "simple spring square street sugar thunder ticket travel tunnel turtle valley velvet violin wallet water wonder banana basket "
    "bottle butter button camera castle cheese circle coffee copper cotton dragon engine feather finger flower hammer harbour honey "
    "jacket jungle ladder lemon light magic marble meadow melon moon mountain needle ocean onion oyster palace peanut pepper piano "
    "pillow pirate pony rocket ribbon saddle sailor salad sand ship snow song soup spoon star storm sun tiger tower train tree "
    "whale wheel wind wolf wood world zebra red blue green big small happy quick lazy brown bright dark cold warm soft loud quiet "
    "good new old fine strange brave calm clever kind tiny huge open free wild data code model test file cell work time day night "
    "hello goodbye welcome yes no maybe thanks sorry okay peace love hope dream I you we they he she it the a that my "
    "your our is are was am can will like want see know think go come make find jump run walk sing dance play read write sleep eat "
    "drink in on under over with and or not very so too here there now then never always today tomorrow"
).split()

# Topics outside what jan-mini knows. They only serve the honest fallback.
TOPICS = (
    "photosynthesis|quantum physics|the French Revolution|black holes|inflation|the stock market|Bitcoin|climate change|the Roman Empire|DNA|"
    "vaccines|democracy|Shakespeare's sonnets|Beethoven|the Cold War|thermodynamics|evolution|relativity|string theory|the immune system|"
    "World War II|the pyramids|Napoleon|Einstein|Marie Curie|Leonardo da Vinci|Mozart|Picasso|Abraham Lincoln|Cleopatra|Julius Caesar|"
    "the Eiffel Tower|the Great Wall of China|the Amazon rainforest|the Sahara|volcanoes|earthquakes|hurricanes|glaciers|coral reefs|dinosaurs|"
    "whales|bees|ants|penguins|sharks|mushrooms|bacteria|viruses|antibiotics|cancer|diabetes|blood pressure|the heart|the liver|the brain|"
    "sleep|stress|depression|yoga|meditation|running a marathon|weight loss|vitamins|protein|cooking rice|baking bread|making pizza|lasagna|"
    "sushi|wine|beer|coffee beans|chocolate cake|a vegan diet|gardening|roses|car engines|electric cars|airplanes|rockets|the space station|"
    "Mars rovers|telescopes|galaxies|dark matter|the big bang|time travel|gravity|magnetism|electricity|nuclear power|solar panels|wind turbines|"
    "batteries|steel|concrete|plastic|oil prices|interest rates|taxes|mortgages|insurance|pensions|startups|marketing|leadership|negotiation|"
    "contracts|copyright law|human rights|the constitution|elections|the European Union|the United Nations|NATO|Brexit|the president|the pope|"
    "philosophy|Plato|Kant|Nietzsche|stoicism|Buddhism|Islam|Christianity|the Bible|mythology|Zeus|Odin|chess openings|poker|football results|"
    "the World Cup|the Olympics|tennis rules|basketball|guitar chords|jazz|hip hop|opera|ballet|film noir|Star Wars|Harry Potter|Game of Thrones|"
    "Netflix|YouTube|TikTok|Facebook|smartphones|the iPhone|Windows 11|Linux kernels|Docker|Kubernetes|Rust lifetimes|Haskell monads|C++ templates|"
    "SQL joins|regular expressions|Django|React|TypeScript generics|WebAssembly|TCP congestion control|public key cryptography|blockchain|zero-knowledge proofs|"
    "gradient descent|Fourier transforms|eigenvalues|differential equations|the Riemann hypothesis|prime gaps|Bayes' theorem|p-values|linear regression|"
    "principal component analysis|reinforcement learning|diffusion models|convolution|backpropagation|overfitting|random forests|k-means|entropy|"
    "Spanish grammar|French verbs|Chinese characters|Latin declensions|a good title|a birthday present|a wedding speech|a cover letter|a job interview|"
    "my thesis|my homework|my boss|my girlfriend|my dog|my landlord|my neighbour|a broken washing machine|a leaking tap|a flat tyre|a headache|a cold|"
    "Tokyo in spring|Iceland in winter|a trip to Peru|hotels in Rome|flights to New York|the weather tomorrow|the news|traffic in London|train times"
).split("|")
VERBS = (
    "compare|stop|load|continue|keep|save|use|install|set up|download|switch|run|add|free|limit|fix|build|repair|learn|cook|buy|sell|paint|write|grow|train|measure|calculate|analyse|translate|prove|simulate|design|optimise|deploy|debug|clean|"
    "improve|start|avoid|understand|remember|plan|choose|cure|treat|predict|solve|derive|implement|refactor|compile|scrape|encrypt|parse|integrate|visualise"
).split("|")
THINGS = (
    "a bicycle|a boat|a house|a website|a database|a garden|a compiler|an operating system|a chess program|a neural network in C|a web server in Go|"
    "a business|a novel|a song|an essay|a thesis|a car|a roof|a washing machine|a laptop|a phone|a drone|a tax return|a contract|a speech|a recipe|"
    "a REST service|a sorting network|a red-black tree|an LRU cache|a regular expression for emails|a SQL query|a bash script|a Dockerfile|a game in Unity|"
    "a physics engine|the derivative of sin(x)/x|this integral|this equation|this proof|this code|this bug|this text|this function|this paragraph|my essay|"
    "my report|a time series|customer churn|house prices|a protein structure|the spread of a virus|a PDF|a spreadsheet|a dashboard|a piano piece|a logo"
).split("|")
PEOPLE = (
    "Albert Einstein|Isaac Newton|Barack Obama|Angela Merkel|Elon Musk|Taylor Swift|Lionel Messi|Napoleon|Julius Caesar|Queen Victoria|Mozart|Bach|Plato|"
    "Socrates|Charles Darwin|Nikola Tesla|Alan Turing|Ada Lovelace|Grace Hopper|Marie Curie|Michael Jackson|The Beatles|Pablo Picasso|Frida Kahlo|Gandhi|"
    "Nelson Mandela|Steve Jobs|Bill Gates|Linus Torvalds|Donald Knuth|Immanuel Kant|Karl Marx|Sigmund Freud|Homer|Dante|Goethe|Tolstoy|Jane Austen|"
    "the king of Spain|the president of France|the prime minister|the CEO of Apple|the mayor of London|the pope|Cleopatra|Genghis Khan|Columbus|Magellan"
).split("|")
LANGUAGES = (
    "French|German|Spanish|Italian|Chinese|Japanese|Russian|Arabic|Latin|Greek|Dutch|Polish|Portuguese|Korean|Hindi|Swedish|Turkish|Esperanto"
).split("|")
CODE_LANGUAGES = "C|C++|Rust|Go|Java|JavaScript|TypeScript|Haskell|Fortran|Kotlin|Swift|SQL|Bash|R|Julia|COBOL|Lisp|PHP|Scala|assembly".split("|")
ADJECTIVES = "best|worst|cheapest|fastest|oldest|most famous|most beautiful|most common|main|first|last|most expensive|strongest|newest|healthiest|deepest|longest".split("|")
KINDS = (
    "laptop|film|book|restaurant|car|phone|university|diet|sport|investment|city to live in|dog breed|river|building|bridge|company|war|king|song|band|"
    "football player|database|web framework|text editor|Linux distribution|sorting algorithm|proof|medicine|exercise|holiday|museum|language to learn|lake|desert"
).split("|")
FOREIGN = (
    "Wie heißt die Hauptstadt von Frankreich und warum?|¿Puedes ayudarme con mis deberes?|Quelle est la meilleure façon d'apprendre?|Come posso cucinare la pasta?|"
    "今天天气怎么样？|これは何ですか？|Привет, как дела? Расскажи мне что-нибудь.|مرحبا كيف حالك|Hvad er klokken?|Jak się masz dzisiaj?|Merhaba, bana yardım eder misin?|"
    "Übersetze das bitte ins Englische.|Schreibe mir ein Gedicht über den Herbst.|Pouvez-vous résumer ce texte?|Explícame la teoría de la relatividad.|"
    "Qual é o sentido da vida?|Mikä on tekoäly?|Hur lagar man köttbullar?|Wat is kunstmatige intelligentie?|오늘 뭐 먹을까?|आप कैसे हैं?|Τι κάνεις σήμερα;"
).split("|")
CODE_PASTES = (
    "def f(x):\n    return x ** 2 + 3 * x\n\nWhat is wrong here?",
    "for (int i = 0; i < n; i++) {{ total += a[i]; }}",
    "SELECT name, COUNT(*) FROM users GROUP BY name HAVING COUNT(*) > {n};",
    "Traceback (most recent call last):\n  File \"main.py\", line {n}, in <module>\nKeyError: '{w}'",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    "{{\"name\": \"{w}\", \"value\": {n}, \"items\": [1, 2, 3]}}",
    "df.groupby('{w}').agg({{'{v}': 'mean'}}).reset_index()",
    "import numpy as np\nx = np.linspace(0, {n}, 100)\ny = np.sin(x)",
    "x = {n}; y = x * {m}; print(y % 7)",
    "#include <stdio.h>\nint main() {{ printf(\"{w}\"); return 0; }}",
    "git rebase -i HEAD~{n} fails with a conflict, what now?",
    "    {w}  {v}\n0   {n}   {m}\n1   {m}   {n}",
    "<div class=\"{w}\"><p>{v}</p></div>",
    "SyntaxError: invalid syntax ({w}.py, line {n})",
    "ValueError: could not convert string to float: '{w}'",
    "assert {w}({n}) == {m}",
    "lambda x: x + {n}",
    "E = mc^2", "\\int_0^{n} x^2 dx", "a^2 + b^2 = c^2", "npm install {w}", "http://www.{w}.com/{v}?id={n}",
    "class {w}(Base):\n    def run(self):\n        self.{v} = {n}\n        return self",
)
# Places without a capital that jan-mini knows: invented ones, regions, cities, and what is no place at all.
NO_CAPITAL = (
    "Wakanda|Atlantis|Narnia|Mordor|Westeros|Gondor|Middle-earth|Hogwarts|Ruritania|Lilliput|El Dorado|Genosha|Latveria|Sokovia|Oz|Wonderland|Neverland|Rohan|Valhalla|Asgard|Hyrule|Tatooine|"
    "Naboo|Camelot|Avalon|Shangri-La|Arstotzka|Panem|Gilead|Oceania|Krakozhia|Genovia|Agrabah|Arendelle|Cloud Cuckoo Land|Discworld|Azeroth|Skyrim|Tamriel|Dorne|the Shire|Pandora|Krypton|"
    "California|Texas|Florida|New York|Ohio|Alaska|Hawaii|Nevada|Bavaria|Saxony|Hesse|Ontario|Quebec|Alberta|Queensland|Tasmania|Scotland|Wales|Catalonia|Andalusia|Tuscany|Sicily|Lombardy|"
    "Brittany|Normandy|Provence|Siberia|Tibet|Crimea|Punjab|Kerala|Hokkaido|Patagonia|Yucatan|Flanders|Transylvania|Europe|Africa|Asia|South America|North America|Antarctica|Scandinavia|"
    "Paris|London|Berlin|Tokyo|Rome|Chicago|Sydney|Mumbai|Istanbul|Barcelona|Munich|Toronto|Hamburg|Milan|Venice|the moon|Mars|Jupiter|Venus|the sun|the world|the sea|the internet|the universe|"
    "my country|my town|heaven|the Roman Empire|Prussia|Yugoslavia|the Soviet Union|Mesopotamia|Sparta|Babylon|the Ottoman Empire|Bolivia|Sri Lanka|South Africa|Israel|Benin|Eswatini|Burundi|"
    "Papua New Guinea|Belize|Samoa|Tonga|Palau|Gambia|Niger|Togo|Guinea|Gabon|Liberia|Eritrea|Djibouti|Lesotho|Mauritius|the Maldives|Brunei|Suriname|Guyana|Barbados|Greenland|Puerto Rico"
).split("|")
# Code that is asked for and that jan-mini has no snippet for, with `to` before a verb.
CODE_TASKS = (
    "to sort a dictionary by value|to sort a data frame|to merge two data frames|to merge two lists|to send an email|to download a file|to connect to a database|to scrape a website|to parse HTML|"
    "to resize an image|to check for palindromes|to check whether a number is prime|to find prime numbers|to search a binary tree|to balance a tree|to traverse a graph|to convert celsius to fahrenheit|"
    "to encrypt a file|to compress a folder|to rename many files|to call a REST API|to train a classifier|to fit a regression|to remove duplicates from a list|to flatten a nested list|to split a PDF|"
    "to transpose a matrix|to invert a matrix|to multiply two matrices|to shuffle a deck of cards|to validate an email address|to generate a password|to parse dates|to read an Excel file|to plot a map|"
    "to draw a pie chart|to plot a heatmap|to make a histogram|to pivot a table|to join two tables|to drop missing values|to count vowels|to find anagrams|to solve a sudoku|to simulate a queue|"
    "a binary search|binary search|a linked list|a bubble sort|bubble sort|quicksort|merge sort|a decorator|a generator|a context manager|a web scraper|a web server|a chat bot|tic tac toe|a snake game|"
    "a calculator|a stack|a priority queue|a hash table|a trie|a binary tree|Dijkstra's algorithm|the sieve of Eratosthenes|the Collatz sequence|the Towers of Hanoi|a neural network|a k-means clustering|"
    "a REST API with Flask|a unit test|a regular expression|a thread pool|a socket server|a GUI|a todo app|a parser|a Caesar cipher|a word cloud|a scatter matrix|a stopwatch|a bank account class"
).split("|")
# Errors as people paste them.
ERRORS = (
    "KeyError: '{w}'", "KeyError: {n}", "NameError: name '{w}' is not defined", "TypeError: unsupported operand type(s) for +: 'int' and 'str'", "TypeError: '{t}' object is not {a}", "TypeError: {w}() missing 1 required positional argument: '{v}'",
    "ValueError: could not convert string to float: '{w}'", "ValueError: invalid literal for int() with base 10: '{v}'", "ValueError: too many values to unpack (expected {n})", "IndexError: list index out of range", "IndexError: tuple index out of range",
    "AttributeError: '{t}' object has no attribute '{w}'", "AttributeError: module '{w}' has no attribute '{v}'", "ModuleNotFoundError: No module named '{w}'", "ImportError: cannot import name '{w}' from '{v}'", "ZeroDivisionError: division by zero",
    "SyntaxError: invalid syntax ({w}.py, line {n})", "SyntaxError: unexpected EOF while parsing", "IndentationError: expected an indented block", "FileNotFoundError: [Errno 2] No such file or directory: '{w}.csv'", "PermissionError: [Errno 13] Permission denied: '{v}'",
    "RecursionError: maximum recursion depth exceeded", "MemoryError", "RuntimeError: {w} {v}", "AssertionError", "UnboundLocalError: local variable '{w}' referenced before assignment", "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position {n}",
    "OSError: [Errno {n}] {w}", "TimeoutError", "ConnectionError: {w} refused", "JSONDecodeError: Expecting value: line 1 column {n}", "StopIteration", "KeyboardInterrupt", "SettingWithCopyWarning: {w}", "OverflowError: {w} too large", "Segmentation fault (core dumped)",
    "error: {w} {v} {n}", "Error {n}: {w} {v}", "Exception: {w}", "java.lang.NullPointerException at {w}.java:{n}", "fatal: not a git repository", "command not found: {w}", "HTTP 404 {w}", "500 Internal Server Error", "CUDA error: out of memory",
)
ERROR_TYPES = "int|str|list|dict|float|NoneType|tuple|set|DataFrame|Series|function|module".split("|")
ERROR_FAULTS = "iterable|callable|subscriptable|hashable|reversible".split("|")
