#include "app/gui/views/run_bar.h"

#include <QAbstractItemView>
#include <QCheckBox>
#include <QComboBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QRegularExpression>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QStandardItemModel>
#include <algorithm>

#include "app/gui/plain_tip.h"
#include "app/gui/session/selection_text.h"
#include "app/gui/settings/appearance.h"
#include "app/gui/views/folding_row.h"
#include "core/base/format.h"

namespace gapscope {
namespace {

constexpr int kFieldHeight = 26;
constexpr int kWidestList = 640;                         // px
const QString kLibraries = QStringLiteral("libraries");  // data of the item that opens the list of libraries
constexpr int kMaxTokens = 32768;                        // the longest context of any Gemma 3 text model that fits this

QSpinBox* makeCount(int minimum, int maximum) {
    auto* box = new QSpinBox;
    box->setRange(minimum, maximum);
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setAlignment(Qt::AlignRight);
    box->setFixedWidth(box->fontMetrics().horizontalAdvance(QStringLiteral("00000")) + 14);
    return box;
}

// As wide as so many characters where there is room, never narrower than `least`.
QComboBox* makeCombo(int characters, int least) {
    auto* box = new QComboBox;
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(characters);
    box->setMinimumWidth(box->sizeHint().width() -
                         (characters - least) * box->fontMetrics().horizontalAdvance(QLatin1Char('X')));
    return box;
}

constexpr int64_t kDraftTokens = 4;  // of a draft model: each costs a pass of its own

QString speculationData(const QString& name, int64_t draftTokens, const QString& draftModel = {}) {
    if (name == QStringLiteral("off")) return name;
    QString data = QStringLiteral("%1 %2").arg(name).arg(draftTokens);
    if (name == QStringLiteral("model")) data += QLatin1Char(' ') + draftModel;
    return data;
}

void selectData(QComboBox* box, const QVariant& data) {
    const int index = box->findData(data);
    box->setCurrentIndex(index >= 0 ? index : 0);
}

}  // namespace

QString modeTitle(Mode mode) {
    switch (mode) {
        case Mode::Eager:
            return RunBar::tr("Eager");
        case Mode::Fused:
            return RunBar::tr("Fused");
        case Mode::Graph:
            return RunBar::tr("Graph");
        case Mode::Persistent:
            return RunBar::tr("Persistent");
    }
    return {};
}

QString precisionTitle(Precision precision) {
    switch (precision) {
        case Precision::File:
            return RunBar::tr("As stored");
        case Precision::Fp32:
            return QStringLiteral("fp32");
        case Precision::Bf16:
            return QStringLiteral("bf16");
        case Precision::Int8:
            return QStringLiteral("int8");
    }
    return {};
}

QString speculationTitle(Speculation kind, int64_t draftTokens) {
    switch (kind) {
        case Speculation::Off:
            return RunBar::tr("Off");
        case Speculation::Ngram:
            return RunBar::tr("Lookup %1").arg(draftTokens);
        case Speculation::Model:
            return RunBar::tr("Model %1").arg(draftTokens);
    }
    return {};
}

RunBar::RunBar(QWidget* parent) : QWidget(parent), m_row(new FoldingRow(kFieldHeight, this)) {
    setObjectName(QStringLiteral("runBar"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(4, 2, 8, 4);
    layout->addWidget(m_row);
    struct Room {
        int stretch;
        int fold;
    };
    const auto add = [this](const QString& caption, const QString& tip, auto* field, Room room, auto isSet) {
        field->setToolTip(wrappedTip(tip));
        field->setWhatsThis(tip);
        field->setAccessibleName(caption);
        m_row->add(caption, field, room.stretch, room.fold, std::move(isSet));
        return field;
    };
    const auto stays = [] { return false; };
    const auto isOtherThan = [this](auto choice) {
        return [this, choice] { return this->choices().*choice != RunChoices().*choice; };
    };
    m_model = add(tr("Model"), tr("The model to run"), makeCombo(14, 10), {3, FoldingRow::kStays}, stays);
    m_device = add(tr("Device"), tr("Where the model runs"), makeCombo(8, 6), {2, FoldingRow::kStays}, stays);
    m_precision = add(tr("Precision"), tr("The form in which weights are computed with"), makeCombo(8, 6), {0, 6},
                      [this] { return m_precision->currentIndex() > 0; });
    m_mode = add(tr("Mode"),
                 tr("Eager: one operation, one kernel. Fused: fewer, longer kernels. Graph: one launch a token."),
                 makeCombo(9, 6), {0, FoldingRow::kStays}, stays);
    m_speculation =
        add(tr("Speculation"),
            tr("Lookup: what followed the last tokens earlier in the text is drafted, up to so many at once, and "
               "checked in one pass. Model: a smaller model drafts. The tokens stay the same; text that is "
               "easily foreseen comes faster."),
            makeCombo(8, 5), {0, 7}, isOtherThan(&RunChoices::speculation));
    m_tokens = add(tr("Tokens"), tr("How many new tokens to generate"), makeCount(1, kMaxTokens),
                   {0, FoldingRow::kStays}, stays);
    m_warmup = add(tr("Warm-up"), tr("Runs before the recorded ones, to fill caches"), makeCount(0, 100), {0, 5},
                   isOtherThan(&RunChoices::warmup));
    m_repeats =
        add(tr("Repeat"), tr("How often to run"), makeCount(1, 1000), {0, 4}, isOtherThan(&RunChoices::repeats));
    m_batch = add(tr("Batch"),
                  tr("How many prompts run together, each a line of the prompt; more lines wait for room. One pass "
                     "over the weights then gives a token to each. 1: the whole text is one prompt. On a GPU "
                     "in all modes but Eager."),
                  makeCount(1, static_cast<int>(kMostBatch)), {0, 3}, isOtherThan(&RunChoices::batch));
    m_chat =
        add(tr("Template"), tr("Put the prompt into the model's chat template. Off for base models, which have none."),
            new QCheckBox(tr("Chat")), {0, 2}, isOtherThan(&RunChoices::chat));
    m_reuse =
        add(tr("Prefix"),
            tr("Begin where the prompt differs from that of the run before: what the cache still holds of "
               "it is not computed again. On a GPU whole pieces of 512 tokens, so that the tokens stay the same."),
            new QCheckBox(tr("Reuse")), {0, 1}, isOtherThan(&RunChoices::reusePrefix));
    m_model->setObjectName(QStringLiteral("modelBox"));
    m_device->setObjectName(QStringLiteral("deviceBox"));
    m_precision->setObjectName(QStringLiteral("precisionBox"));
    m_mode->setObjectName(QStringLiteral("modeBox"));
    m_speculation->setObjectName(QStringLiteral("speculationBox"));
    m_tokens->setObjectName(QStringLiteral("tokensBox"));
    m_warmup->setObjectName(QStringLiteral("warmupBox"));
    m_repeats->setObjectName(QStringLiteral("repeatsBox"));
    m_batch->setObjectName(QStringLiteral("batchBox"));
    m_chat->setObjectName(QStringLiteral("chatBox"));
    m_reuse->setObjectName(QStringLiteral("reuseBox"));

    connect(m_device, &QComboBox::currentIndexChanged, this, [this](int index) {
        if (index == m_lastDevice) return;
        const QString id = m_device->itemData(index).toString();
        if (id.isEmpty() || id == kLibraries) {  // no device
            m_device->setCurrentIndex(m_lastDevice);
            if (id == kLibraries) Q_EMIT librariesWanted();
            return;
        }
        m_lastDevice = index;
        showDevice();
        Q_EMIT changed();
    });
    connect(m_model, &QComboBox::activated, this, [this](int index) {
        if (m_model->itemData(index).toString().isEmpty() && index == m_model->count() - 1) {
            selectData(m_model, m_wanted.modelPath);
            Q_EMIT browseForModel();
        }
    });
    connect(m_model, &QComboBox::currentIndexChanged, this, &RunBar::changed);
    for (QComboBox* box : {m_precision, m_mode, m_speculation})
        connect(box, &QComboBox::currentIndexChanged, this, &RunBar::changed);
    for (QSpinBox* box : {m_tokens, m_warmup, m_repeats, m_batch})
        connect(box, &QSpinBox::valueChanged, this, &RunBar::changed);
    for (QCheckBox* box : {m_chat, m_reuse})
        connect(box, &QCheckBox::toggled, this, &RunBar::changed);
    connect(this, &RunBar::changed, m_row, &FoldingRow::updateMore);
    connect(this, &RunBar::changed, this, &RunBar::tellChoices);
    setChoices({});
}

// A box that is narrow leaves out the end of what is chosen.
void RunBar::tellChoices() {
    for (QComboBox* box : {m_model, m_device, m_precision, m_mode, m_speculation})
        box->setToolTip(wrappedTip(tr("%1\nChosen: %2").arg(box->whatsThis(), box->currentText())));
}

void RunBar::showMachine(const Machine& machine) {
    m_models = machine.models;
    m_found = machine.found;
    setChoices(m_wanted);
}

void RunBar::setChoices(const RunChoices& choices) {
    m_wanted = choices;
    {
        const QSignalBlocker quiet(this);
        // A file that the person named is offered although no search finds it.
        const bool known = std::any_of(m_models.begin(), m_models.end(), [&](const FoundModel& model) {
            return QString::fromStdString(model.path.string()) == choices.modelPath;
        });
        if (!choices.modelPath.isEmpty() && !known)
            m_models.push_back({.name = QFileInfo(choices.modelPath).completeBaseName().toStdString(),
                                .path = choices.modelPath.toStdString(),
                                .source = "chosen"});
        const QSignalBlocker quietModel(m_model);
        m_model->clear();
        for (const FoundModel& model : m_models) {
            m_model->addItem(text(model.name), QString::fromStdString(model.path.string()));
            const QString size = model.bytes > 0
                                     ? text(formatBytes(static_cast<double>(model.bytes))) + QStringLiteral(", ")
                                     : QString();
            m_model->setItemData(m_model->count() - 1, size + QString::fromStdString(model.path.string()),
                                 Qt::ToolTipRole);
        }
        if (m_models.empty()) m_model->addItem(tr("No model found"), QStringLiteral("none"));
        m_model->addItem(tr("Choose a file…"), QString());
        if (choices.modelPath.isEmpty())
            m_model->setCurrentIndex(0);
        else
            selectData(m_model, choices.modelPath);

        const QSignalBlocker quietDevice(m_device);
        m_device->clear();  // what was asked for counts, not what is shown
        fillDevices();
        fillSpeculation();
        m_tokens->setValue(choices.tokens);
        m_warmup->setValue(choices.warmup);
        m_repeats->setValue(choices.repeats);
        m_batch->setValue(choices.batch);
        m_chat->setChecked(choices.chat);
        m_reuse->setChecked(choices.reusePrefix);
    }
    Q_EMIT changed();
}

// Any model may draft for any other; which of them fit, a run says.
void RunBar::fillSpeculation() {
    const QSignalBlocker quiet(m_speculation);
    m_speculation->clear();
    const auto offer = [this](Speculation kind, int64_t drafts) {
        m_speculation->addItem(speculationTitle(kind, drafts), speculationData(text(speculationName(kind)), drafts));
    };
    offer(Speculation::Off, 0);
    for (const int64_t drafts : {2, 4, 8, 16})
        offer(Speculation::Ngram, drafts);
    std::vector<QString> files;
    for (const FoundModel& model : m_models)
        files.push_back(QString::fromStdString(model.path.string()));
    const bool isChosen = m_wanted.speculation == QStringLiteral("model") && !m_wanted.draftModel.isEmpty();
    if (isChosen && std::ranges::find(files, m_wanted.draftModel) == files.end()) files.push_back(m_wanted.draftModel);
    for (const QString& file : files) {
        const int64_t drafts = isChosen && file == m_wanted.draftModel ? m_wanted.draftTokens : kDraftTokens;
        m_speculation->addItem(
            tr("%1: %2").arg(speculationTitle(Speculation::Model, drafts), QFileInfo(file).completeBaseName()),
            speculationData(text(speculationName(Speculation::Model)), drafts, file));
        m_speculation->setItemData(m_speculation->count() - 1, file, Qt::ToolTipRole);
    }
    m_speculation->view()->setMinimumWidth(std::min(kWidestList, m_speculation->view()->sizeHintForColumn(0) + 24));
    selectData(m_speculation, speculationData(m_wanted.speculation, m_wanted.draftTokens, m_wanted.draftModel));
}

// "Automatic" means the first GPU, where one can be used.
const RunDevice* RunBar::device() const {
    const std::string id = m_device->currentData().toString().toStdString();
    for (const RunDevice& found : m_found.devices)
        if (found.id == id || (id == "auto" && (found.id == "cpu" || !gpusRefused()))) return &found;
    return m_found.devices.empty() ? nullptr : &m_found.devices.back();
}

void RunBar::fillDevices() {
    const QSignalBlocker quiet(m_device);
    const QVariant current = m_device->currentData();
    m_device->clear();
    m_device->addItem(tr("Automatic"), QStringLiteral("auto"));
    auto* const items = qobject_cast<QStandardItemModel*>(m_device->model());
    for (const RunDevice& found : m_found.devices) {
        const bool isCpu = found.id == "cpu";
        const int64_t cores = isCpu ? physicalCores() : 0;
        const QString extent =
            isCpu ? counted(cores, tr("%1 core"), tr("%1 cores")) : text(formatBytes(double(found.memoryBytes)));
        m_device->addItem(tr("%1 · %2").arg(isCpu ? tr("CPU") : text(found.name), extent), text(found.id));
        const int row = m_device->count() - 1;
        m_device->setItemData(row, isCpu ? text(found.name) : tr("%1 at %2").arg(text(found.id), text(found.pciBusId)),
                              Qt::ToolTipRole);
        if (!isCpu && gpusRefused()) {
            items->item(row)->setEnabled(false);
            m_device->setItemData(row, m_refusal, Qt::ToolTipRole);
        }
    }
    if (!m_found.gpuProblem.empty()) {
        // To be read, so not as pale as what is disabled; the handler of the box keeps it from being chosen by keys.
        m_device->addItem(text(m_found.gpuProblem));
        items->item(m_device->count() - 1)->setFlags(Qt::ItemIsEnabled);
        m_device->setItemData(m_device->count() - 1, appTheme().mutedText, Qt::ForegroundRole);
    }
    m_device->insertSeparator(m_device->count());
    m_device->addItem(tr("GPU libraries…"), QString(kLibraries));
    m_device->setItemData(m_device->count() - 1, tr("What of NVIDIA's is there, and where it was looked for"),
                          Qt::ToolTipRole);
    selectData(m_device, current.isValid() ? current : QVariant(m_wanted.device));
    if (gpusRefused() && device() && m_device->currentData() != QStringLiteral("auto") && device()->id != "cpu")
        selectData(m_device, QStringLiteral("cpu"));
    // Sentences do not fit the box: the list is as wide as they are.
    m_device->view()->setMinimumWidth(std::min(kWidestList, m_device->view()->sizeHintForColumn(0) + 24));
    m_lastDevice = m_device->currentIndex();
    showDevice();
}

void RunBar::showDevices(const FoundDevices& found) {
    m_found = found;
    fillDevices();
    Q_EMIT changed();
}

void RunBar::refuseGpus(const QString& sentence) {
    m_refusal = sentence;
    fillDevices();
    Q_EMIT changed();
}

void RunBar::chooseDevice(const QString& id) {
    selectData(m_device, id);
}

void RunBar::showDevice() {
    const QSignalBlocker quietPrecision(m_precision);
    const QSignalBlocker quietMode(m_mode);
    m_precision->clear();
    m_mode->clear();
    m_mode->addItem(tr("Default"), QString());
    const RunDevice* found = device();
    const std::vector<Precision> precisions = found ? found->precisions : std::vector{Precision::File};
    const std::vector<Mode> modes = found ? found->modes : std::vector<Mode>{};
    for (const Precision precision : precisions)
        m_precision->addItem(precisionTitle(precision), text(precisionName(precision)));
    for (const Mode mode : modes)
        m_mode->addItem(modeTitle(mode), text(modeName(mode)));
    selectData(m_precision, m_wanted.precision);
    selectData(m_mode, m_wanted.mode);
}

RunChoices RunBar::choices() const {
    RunChoices choices;
    const QString path = m_model->currentData().toString();
    choices.modelPath = path == QStringLiteral("none") ? QString() : path;
    choices.device = m_device->currentData().toString();
    choices.precision = m_precision->currentData().toString();
    choices.mode = m_mode->currentData().toString();
    const QString speculation = m_speculation->currentData().toString();  // a file's name may hold spaces
    choices.speculation = speculation.section(QLatin1Char(' '), 0, 0);
    if (const QString drafts = speculation.section(QLatin1Char(' '), 1, 1); !drafts.isEmpty())
        choices.draftTokens = drafts.toInt();
    choices.draftModel = speculation.section(QLatin1Char(' '), 2);
    choices.tokens = m_tokens->value();
    choices.warmup = m_warmup->value();
    choices.repeats = m_repeats->value();
    choices.batch = m_batch->value();
    choices.chat = m_chat->isChecked();
    choices.reusePrefix = m_reuse->isChecked();
    return choices;
}

const FoundModel* RunBar::model() const {
    const int index = m_model->currentIndex();
    return index >= 0 && index < static_cast<int>(m_models.size()) ? &m_models[static_cast<size_t>(index)] : nullptr;
}

QString RunBar::deviceName() const {
    const RunDevice* found = device();
    return found ? text(found->name) : QString();
}

QString RunBar::gpuVerdict() const {
    if (gpusRefused()) return m_refusal;
    if (!m_found.gpuProblem.empty())
        return tr("%1 Runs take the CPU; traces of GPUs can be opened all the same.").arg(text(m_found.gpuProblem));
    const bool hasGpu = !m_found.devices.empty() && m_found.devices.front().id != "cpu";
    return hasGpu ? tr("Runs can use %1.").arg(text(m_found.devices.front().name)) : tr("The machine is looked at…");
}

Result<RecordingSettings> RunBar::recordingSettings(const QString& prompt) const {
    const FoundModel* found = model();
    if (!found)
        return fail(
            tr("No Gemma 3 model was found. Choose a GGUF file or a model folder in the Model box.").toStdString(),
            ErrorKind::NotFound);
    const RunChoices chosen = choices();
    RecordingSettings settings;
    settings.modelPath = found->path;
    GenerateSettings& generate = settings.generate;
    generate.device = chosen.device.toStdString();
    if (gpusRefused() && generate.device == "auto") generate.device = "cpu";
    generate.precision = precisionFromName(chosen.precision.toStdString()).value_or(Precision::File);
    generate.mode = modeFromName(chosen.mode.toStdString());
    generate.speculation.kind = speculationFromName(chosen.speculation.toStdString()).value_or(Speculation::Off);
    generate.speculation.draftTokens = chosen.draftTokens;
    generate.speculation.draftModel = chosen.draftModel.toStdString();
    generate.prompt = prompt.toStdString();
    generate.batch = chosen.batch;
    const QStringList lines = prompt.split(QLatin1Char('\n')).filter(QRegularExpression(QStringLiteral("\\S")));
    if (chosen.batch > 1 && lines.size() > 1)
        for (const QString& line : lines)
            generate.prompts.push_back(line.toStdString());
    generate.chat = chosen.chat;
    generate.reusePrefix = chosen.reusePrefix;
    generate.maxNewTokens = chosen.tokens;
    generate.warmup = chosen.warmup;
    generate.repeats = chosen.repeats;
    RETURN_IF_ERROR(validate(generate));
    return settings;
}

}  // namespace gapscope
