#include "app/gui/views/align_dialog.h"

#include <QComboBox>
#include <QCompleter>
#include <QDialogButtonBox>
#include <QPushButton>
#include <QRadioButton>
#include <QVBoxLayout>
#include <algorithm>

#include "app/gui/session/selection_text.h"
#include "app/gui/views/card.h"

namespace gapscope {
namespace {

constexpr int kWidth = 520;

Label* note(const QString& words, QWidget* parent) {
    auto* label = new Label(LabelRole::Quiet, words, parent);
    label->setWordWrap(true);
    return label;
}

}  // namespace

QString alignmentText(const FilesTogether& files) {
    switch (files.by) {
        case AlignedBy::Name:
            return AlignDialog::tr("where %1 first begins").arg(text(files.alignment.name));
        case AlignedBy::WallClock:
            return AlignDialog::tr("by their wall clocks");
        case AlignedBy::FirstWork:
            break;
    }
    return AlignDialog::tr("by their first device operations");
}

AlignDialog::AlignDialog(const FilesTogether& files, QWidget* parent) : QDialog(parent), m_files(files) {
    setObjectName(QStringLiteral("alignDialog"));
    setWindowTitle(tr("Align files"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 16, 20, 14);
    layout->setSpacing(8);
    layout->addWidget(new Label(
        LabelRole::Heading, tr("%1 files are aligned %2.").arg(files.paths.size()).arg(alignmentText(files)), this));

    m_byClock = new QRadioButton(tr("By their &wall clocks"), this);
    m_byClock->setObjectName(QStringLiteral("alignByClock"));
    m_byClock->setEnabled(files.clocksMeet);
    layout->addWidget(m_byClock);
    if (!files.clocksMeet)
        layout->addWidget(note(tr("Not all of these files tell the time of day, or they did not run at once."), this));
    m_byWork = new QRadioButton(tr("By their first &device operations"), this);
    m_byWork->setObjectName(QStringLiteral("alignByWork"));
    layout->addWidget(m_byWork);
    m_byName = new QRadioButton(tr("Where this &first begins in each:"), this);
    m_byName->setObjectName(QStringLiteral("alignByName"));
    layout->addWidget(m_byName);
    m_name = new QComboBox(this);
    m_name->setObjectName(QStringLiteral("alignName"));
    m_name->setAccessibleName(tr("Range, call or kernel to align at"));
    m_name->setEditable(true);
    m_name->setInsertPolicy(QComboBox::NoInsert);
    m_name->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    for (const std::string& name : files.names)
        m_name->addItem(text(name));
    m_name->completer()->setFilterMode(Qt::MatchContains);
    m_name->completer()->setCompletionMode(QCompleter::PopupCompletion);
    layout->addWidget(m_name);
    m_note = note({}, this);
    layout->addWidget(m_note);

    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    buttons->button(QDialogButtonBox::Cancel)->setIcon(QIcon());
    m_align = buttons->addButton(tr("&Align"), QDialogButtonBox::AcceptRole);
    m_align->setObjectName(QStringLiteral("alignButton"));
    m_align->setDefault(true);
    layout->addWidget(buttons);

    m_byClock->setChecked(files.by == AlignedBy::WallClock);
    m_byWork->setChecked(files.by == AlignedBy::FirstWork);
    m_byName->setChecked(files.by == AlignedBy::Name);
    if (files.by == AlignedBy::Name) m_name->setEditText(text(files.alignment.name));
    for (QRadioButton* choice : {m_byClock, m_byWork, m_byName})
        connect(choice, &QRadioButton::toggled, this, &AlignDialog::showState);
    // Who writes a name means it.
    connect(m_name, &QComboBox::editTextChanged, this, [this] {
        m_byName->setChecked(true);
        showState();
    });
    connect(m_name, &QComboBox::activated, this, [this] { m_byName->setChecked(true); });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        Q_EMIT chosen(alignment());
        accept();
    });
    showState();
    resize(kWidth, sizeHint().height());
}

JoinAlignment AlignDialog::alignment() const {
    if (m_byName->isChecked()) return {.name = m_name->currentText().trimmed().toStdString()};
    return {.byFirstWork = m_byWork->isChecked() && m_files.clocksMeet};
}

void AlignDialog::showState() {
    const bool isNamed = m_byName->isChecked();
    const std::string name = m_name->currentText().trimmed().toStdString();
    const bool isListed = std::ranges::find(m_files.names, name) != m_files.names.end();
    if (m_files.names.empty())
        m_note->setText(tr("Nothing has the same name in all of these files."));
    else if (isNamed && !name.empty() && !isListed)
        m_note->setText(tr("This is not among the %1 names listed; it must begin something in every file.")
                            .arg(m_files.names.size()));
    else
        m_note->setText(tr("Names that all files have, the rarest first."));
    m_align->setEnabled(!isNamed || !name.empty());
}

}  // namespace gapscope
